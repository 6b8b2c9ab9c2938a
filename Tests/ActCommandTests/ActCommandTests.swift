import Testing
@Suite struct ActCommandTests {}
