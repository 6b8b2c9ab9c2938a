import Testing
@Suite struct ActNetworkTests {}
