// Sums over parts, messages, and what the environment says: all without another process.

import ActArray
import ActRanks
import ActTestSupport
import Testing

@Suite struct PlanTests {
    /// Every part lies in one branch of one rank, and branches are those of the tree of all.
    @Test func branchesShareOutTheTree() {
        for count in 0...33 {
            var tree: Set<Range<Int>> = []
            func grow(_ branch: Range<Int>) {
                tree.insert(branch)
                guard branch.count > 1 else { return }
                let (left, right) = ShardPlan.halves(branch)
                #expect(left.lowerBound == branch.lowerBound && left.upperBound == right.lowerBound && right.upperBound == branch.upperBound)
                grow(left)
                grow(right)
            }
            if count > 0 { grow(0..<count) }
            for ranks in 1...12 {
                let plan = ShardPlan(count: count, ranks: ranks)
                let branches = (0..<ranks).flatMap { plan.branches(of: $0) }
                #expect(branches.flatMap(Array.init) == Array(0..<count))
                #expect(branches.allSatisfy(tree.contains))
                for rank in 0..<ranks { #expect(plan.branches(of: rank).flatMap(Array.init) == Array(plan.shards(of: rank))) }
            }
        }
    }

    /// With powers of two each rank has one branch: nothing but one vector leaves it.
    @Test(arguments: [1, 2, 4, 8]) func oneBranchEach(_ ranks: Int) {
        let plan = ShardPlan(count: 8, ranks: ranks)
        for rank in 0..<ranks { #expect(plan.branches(of: rank).count == 1) }
    }

    @Test func messagesComeBack() throws {
        var writer = MessageWriter()
        let array = try NDArray([1.5, -0.0, .infinity, .leastNonzeroMagnitude], shape: [2, 2])
        writer.add(-7)
        writer.add(-0.0)
        writer.add("ä€\u{0}")
        writer.add([1, 2, 3] as [UInt8])
        try writer.add(elementsOf: array)
        var reader = MessageReader(writer.bytes)
        #expect(reader.whole() == -7)
        #expect(reader.number().bitPattern == (-0.0).bitPattern)
        #expect(reader.text() == "ä€\u{0}")
        #expect(reader.part() == [1, 2, 3])
        #expect(try reader.array(shape: [2, 2], type: .f64).toDoubles().map(\.bitPattern) == array.toDoubles().map(\.bitPattern))
        #expect(reader.isWhole && reader.isAtEnd)
    }

    /// Whatever is cut off or made up reads as nothing, and is noticed.
    @Test func brokenMessagesAreNoticed() throws {
        var writer = MessageWriter()
        writer.add("some text")
        writer.add(12)
        for count in 0..<writer.bytes.count {
            var reader = MessageReader(Array(writer.bytes.prefix(count)))
            _ = (reader.text(), reader.whole())
            #expect(!reader.isWhole)
        }
        for length in [-1, Int.min, Int.max, 1 << 40] {
            var writer = MessageWriter()
            writer.add(length)
            var reader = MessageReader(writer.bytes)
            #expect(reader.part().isEmpty && !reader.isWhole)
        }
    }

    @Test func digestsTellArraysApart() throws {
        func digest(_ array: NDArray) throws -> Digest {
            var digest = Digest()
            try digest.add(array)
            return digest
        }
        let numbers = (0..<1000).map(Double.init)
        let array = try NDArray(numbers, shape: [10, 100])
        #expect(try digest(array) == digest(NDArray(numbers, shape: [10, 100])))
        #expect(try digest(array) != digest(array.reshaped(to: [100, 10])))
        #expect(try digest(array) != digest(array.converted(to: .f32)))
        for place in [0, 1, 7, 8, 500, 999] {
            var other = numbers
            other[place] = other[place].nextUp
            #expect(try digest(array) != digest(NDArray(other, shape: [10, 100])))
        }
    }

    // MARK: The environment

    private func launch(_ variables: [String: String]) throws -> Joining.Launch { try Joining.launch { variables[$0] } }

    @Test func launchersAreKnown() throws {
        #expect(try launch([:]) == .alone)
        #expect(try launch(["RANK": "0", "HOME": "/"]) == .alone)
        #expect(try launch(["RANK": "0", "WORLD_SIZE": "1"]) == .alone)
        #expect(try launch(["RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "1234"]) == .tcp(rank: 1, ranks: 4, address: "a", port: 1234))
        #expect(try launch(["SLURM_PROCID": "3", "SLURM_NTASKS": "4", "MASTER_ADDR": "a"]) == .tcp(rank: 3, ranks: 4, address: "a", port: 29500))
        // torchrun keeps its port for itself.
        #expect(
            try launch(["RANK": "0", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "1234", "TORCHELASTIC_USE_AGENT_STORE": "True"])
                == .tcp(rank: 0, ranks: 4, address: "a", port: 1235))
        // A job of Slurm that says nothing of an address runs one process by itself.
        #expect(try launch(["SLURM_PROCID": "3", "SLURM_NTASKS": "4"]) == .alone)
        #expect(try launch(["OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"]) == .mpi(launcher: "OMPI_COMM_WORLD_SIZE", ranks: 2))
        #expect(try launch(["PMI_SIZE": "8", "PMI_RANK": "0"]) == .mpi(launcher: "PMI_SIZE", ranks: 8))
        #expect(try launch(["PMIX_RANK": "0", "SLURM_NTASKS": "6"]) == .mpi(launcher: "PMIX_RANK", ranks: 6))
        // Who gives an address wants it used.
        #expect(
            try launch(["OMPI_COMM_WORLD_SIZE": "2", "RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "::1"])
                == .tcp(rank: 0, ranks: 2, address: "::1", port: 29500))
    }

    /// What act hands down to its own ranks is looked at before it is used.
    @Test func descriptorsThatNobodyHandedDownAreRefused() throws {
        #expect(try launch(["ACT_RANK": "0 2 0 1 2"]) == .own(rank: 0, ranks: 2, descriptors: [0, 1, 2]))
        #expect(try launch(["ACT_RANK": "0 1 0"]) == .own(rank: 0, ranks: 1, descriptors: [0]))
        for value in ["0 2 99", "0 2 0 1", "0 2 0 1 999", "1 3 0 1 2 0 1", "0 3 0 1 2", "0 1 -1", "2 2 0 1 2", "x"] {
            #expect(throws: RanksError.badVariable("ACT_RANK", value: value, range: nil)) { try launch(["ACT_RANK": value]) }
        }
    }

    @Test func badVariablesAreNamed() {
        #expect(throws: RanksError.missingVariable("RANK", beside: ["MASTER_ADDR", "WORLD_SIZE"])) { try launch(["WORLD_SIZE": "2", "MASTER_ADDR": "a"]) }
        #expect(throws: RanksError.missingVariable("SLURM_PROCID", beside: ["MASTER_ADDR", "SLURM_NTASKS"])) {
            try launch(["SLURM_NTASKS": "2", "MASTER_ADDR": "a"])
        }
        #expect(throws: RanksError.missingVariable("MASTER_ADDR", beside: ["RANK", "WORLD_SIZE"])) { try launch(["WORLD_SIZE": "2", "RANK": "1"]) }
        for (name, value) in [
            ("RANK", "2"), ("RANK", "-1"), ("RANK", "x"), ("WORLD_SIZE", "0"), ("WORLD_SIZE", "99999999999999999999"), ("MASTER_PORT", "0"),
            ("MASTER_PORT", "65536"),
        ] {
            var variables = ["RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "1"]
            variables[name] = value
            do {
                _ = try launch(variables)
                Issue.record("\(name)=\(value) was taken")
            } catch {
                guard case RanksError.badVariable(name, value: value, range: _?) = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
    }
}
