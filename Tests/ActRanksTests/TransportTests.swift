import ActRanks
import Testing

@Suite struct TransportTests {
}
