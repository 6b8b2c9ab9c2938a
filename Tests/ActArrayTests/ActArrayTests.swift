import Testing
@Suite struct ActArrayTests {}
