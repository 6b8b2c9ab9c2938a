import Testing
@Suite struct ActGradTests {}
