// The part of the machine that is written in C.

import ActMachine
import Testing

@Suite struct MachineLayoutTests {
    @Test func cReadsWhatSwiftHasLaidOut() throws {
        let differences = try MachineLayout.differences()
        #expect(differences.isEmpty, "\(differences)")
    }
}
