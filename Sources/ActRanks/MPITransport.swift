// The Message Passing Interface as it is installed: the library is loaded when a launcher of MPI has started the process, and eight of its
// functions are called. Three kinds of library differ in what stands for a communicator, a type and an operation; each fits a machine word.
// (MPI 5.0: mpi-forum.org/docs; the words are those of the libraries' mpi.h, of the standard ABI those of its mpi_abi.h.)
//
// What must stay true: one thread at a time calls the library; no count exceeds 32 bits.

import ActArray
import ActSystem
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// `@unchecked`: what the watching thread sees of it is touched within the monitor, the rest by the thread that computes.
package final class MPITransport: Transport, @unchecked Sendable {
    package private(set) var rank = 0, ranks = 1
    package let carriesNotices = false
    private let library: Library
    var libraryName: String { library.name }
    /// Since when the thread that computes has been inside of the library; 0: it is not.
    private let monitor = Monitor()
    private var entered = 0.0

    /// - Parameter launcher: The variable that told of it.
    /// - Throws: `RanksError.noLibrary` and its like.
    package init(launcher: String) throws {
        library = try Library(launcher: launcher)
        var given: Int32 = 0
        try check("MPI_Init_thread", library.start(nil, nil, library.kind.serialized, &given))
        var number: Int32 = 0
        try check("MPI_Comm_rank", library.commRank(library.world, &number))
        rank = Int(number)
        try check("MPI_Comm_size", library.commSize(library.world, &number))
        ranks = Int(number)
    }

    private func check(_ function: String, _ code: Int32) throws {
        if code != 0 { throw RanksError.library(function: function, code: Int(code)) }
    }

    // MARK: Data

    package func allGather(_ bytes: [UInt8]) throws -> [[UInt8]] {
        try inside {
            let sizes = try gatherEqual(withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { Array($0) }).map { part in
                var reader = MessageReader(part)
                return reader.whole()
            }
            guard let most = sizes.max(), most > 0 else { return sizes.map { _ in [] } }
            var all = sizes.map { _ in [UInt8]() }
            for start in stride(from: 0, to: most, by: MPITransport.piece) {
                let length = min(MPITransport.piece, most - start)
                var part = Array(bytes.dropFirst(start).prefix(length))
                part += [UInt8](repeating: 0, count: length - part.count)
                for (rank, piece) in try gatherEqual(part).enumerated() { all[rank] += piece.prefix(max(0, sizes[rank] - start)) }
            }
            return all
        }
    }

    /// What goes at once from each rank.
    private static let piece = 1 << 24

    /// Everybody's bytes, as many of each.
    private func gatherEqual(_ bytes: [UInt8]) throws -> [[UInt8]] {
        try MemoryPool.allow(bytes.count &* ranks)
        var all = [UInt8](repeating: 0, count: bytes.count &* ranks)
        let count = Int32(bytes.count)
        try check("MPI_Allgather", library.allGather(bytes, count, library.byte, &all, count, library.byte, library.world))
        return (0..<ranks).map { Array(all[$0 &* bytes.count..<($0 &+ 1) &* bytes.count]) }
    }

    /// Each rank makes a slice of the result of everybody's slices, then all get all of it: twice the size of an array goes in and out of
    /// each process, however many there are.
    package func combine(
        _ own: [UnsafeRawPointer], counts: [Int], count: Int, unit: Int, into result: UnsafeMutableRawPointer, _ merge: Merge
    ) throws {
        try inside {
            let most = max(1, counts.max() ?? 1), step = max(1, min((MPITransport.piece / unit / most / ranks), (count &+ ranks &- 1) / ranks))
            let slice = step &* unit, all = slice &* most &* ranks
            try MemoryPool.allow(2 &* all &+ slice &* (ranks &+ 1))
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 2 &* all &+ slice &* (ranks &+ 1), alignment: 64)
            defer { memory.deallocate() }
            let (sent, received, made, whole) = (memory, memory + all, memory + 2 &* all, memory + (2 &* all &+ slice))
            memset(memory, 0, 2 &* all)
            for start in stride(from: 0, to: count, by: step &* ranks) {
                /// How many elements of the slice of a rank there are.
                func length(_ rank: Int) -> Int { max(0, min(step, count &- start &- rank &* step)) }
                for other in 0..<ranks where length(other) > 0 {
                    for (index, array) in own.enumerated() {
                        (sent + slice &* (other &* most &+ index)).copyMemory(from: array + (start &+ other &* step) &* unit, byteCount: length(other) &* unit)
                    }
                }
                let size = Int32(slice &* most)
                try check("MPI_Alltoall", library.allToAll(sent, size, library.byte, received, size, library.byte, library.world))
                let parts = (0..<ranks).map { other in (0..<counts[other]).map { UnsafeRawPointer(received + slice &* (other &* most &+ $0)) } }
                if length(rank) > 0 { merge(parts, length(rank), made) }
                try check("MPI_Allgather", library.allGather(made, Int32(slice), library.byte, whole, Int32(slice), library.byte, library.world))
                (result + start &* unit).copyMemory(from: whole, byteCount: min(count &- start, step &* ranks) &* unit)
            }
        }
    }

    package func addAll(_ elements: UnsafeMutableRawPointer, count: Int, type: ElementType) throws -> Bool {
        try inside {
            let most = MPITransport.piece, kind = type == .f32 ? library.float : library.double
            for start in stride(from: 0, to: count, by: most) {
                let code = library.allReduce(
                    library.inPlace, elements + start &* type.size, Int32(min(most, count - start)), kind, library.sum, library.world)
                try check("MPI_Allreduce", code)
            }
            return true
        }
    }

    private func inside<Result>(_ body: () throws -> Result) throws -> Result {
        monitor.locked { entered = act_seconds() }
        defer { monitor.locked { entered = 0 } }
        return try body()
    }

    // MARK: Ends

    /// The library waits for the others whatever happens here: a process that is to end inside of it ends at once, and its launcher ends the
    /// others.
    package func listen(_ hear: @escaping @Sendable (Notice) -> Void) {
        _ = SystemThread(stackSize: 1 << 18, isDetached: true) { [self] in
            var since: Double?
            while true {
                usleep(50_000)
                let isStuck = Engine.process.interrupt.isRaised && monitor.locked { entered > 0 }
                guard isStuck else {
                    since = nil
                    continue
                }
                since = since ?? act_seconds()
                if act_seconds() - (since ?? 0) > 0.3 {
                    // (Words are here: whoever would find them is the thread that waits.)
                    let text = "error: interrupted on rank \(rank), which waited for the others\n"
                    _ = Array(text.utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
                    act_draft_discard()
                    // Launchers end the others sooner where the library tells them. It is asked from a second thread, and may not answer.
                    _ = SystemThread(stackSize: 1 << 18, isDetached: true) { [self] in _ = library.abort(library.world, 130) }
                    usleep(200_000)
                    _exit(130)
                }
            }
        }
    }

    package func tell(_ notice: Notice) { _ = library.abort(library.world, notice.status) }

    package func close() { _ = library.finish() }
}

// MARK: - The library

/// The library's functions, and its words for what they take.
private struct Library {
    enum Kind {
        case openMPI, mpich, standard

        /// MPI_THREAD_SERIALIZED.
        var serialized: Int32 { self == .standard ? 2048 : 2 }
    }

    typealias Start = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int32, UnsafeMutablePointer<Int32>) -> Int32
    typealias Ask = @convention(c) (Int, UnsafeMutablePointer<Int32>) -> Int32
    typealias Exchange = @convention(c) (UnsafeRawPointer?, Int32, Int, UnsafeMutableRawPointer?, Int32, Int, Int) -> Int32
    typealias Reduce = @convention(c) (UnsafeRawPointer?, UnsafeMutableRawPointer?, Int32, Int, Int, Int) -> Int32
    typealias Abort = @convention(c) (Int, Int32) -> Int32
    typealias Finish = @convention(c) () -> Int32

    let name: String
    let kind: Kind
    let start: Start
    let commRank, commSize: Ask
    let allGather, allToAll: Exchange
    let allReduce: Reduce
    let abort: Abort
    let finish: Finish
    let world, byte, float, double, sum: Int
    /// An address that stands for a word of the library's; nothing is read there. (The library stays loaded.)
    let inPlace: UnsafeRawPointer?

    /// The variable that names another library than the usual ones.
    static let variable = "ACT_MPI_LIBRARY"

    init(launcher: String) throws {
        #if os(macOS)
        let (openMPI, mpich, standard) = (["libmpi.40.dylib"], ["libmpi.12.dylib", "libmpich.12.dylib"], ["libmpi_abi.0.dylib", "libmpi_abi.1.dylib"])
        let folders = ["", "/opt/homebrew/lib/", "/usr/local/lib/"]
        #else
        let (openMPI, mpich, standard) = (["libmpi.so.40"], ["libmpi.so.12", "libmpich.so.12"], ["libmpi_abi.so.1", "libmpi_abi.so.0"])
        let folders = [""]
        #endif
        let usual = launcher.hasPrefix("OMPI") ? openMPI + standard : launcher.hasPrefix("PMI_") ? mpich + standard : openMPI + mpich + standard
        let names = Joining.environment(Library.variable).map { [$0] } ?? usual.flatMap { name in folders.map { $0 + name } }
        var opened: (name: String, handle: UnsafeMutableRawPointer)?
        for name in names where opened == nil {
            // What the library loads itself looks for its functions everywhere.
            if let handle = dlopen(name, RTLD_NOW | RTLD_GLOBAL) { opened = (name, handle) }
        }
        guard let (name, handle) = opened else { throw RanksError.noLibrary(launcher: launcher, tried: names) }
        self.name = name
        func symbol(_ symbol: String) -> UnsafeMutableRawPointer? { dlsym(handle, symbol) }
        func function<Form>(_ function: String, as _: Form.Type) throws -> Form {
            guard let pointer = symbol(function) else { throw RanksError.incompleteLibrary(name, function: function) }
            return unsafeBitCast(pointer, to: Form.self)
        }
        start = try function("MPI_Init_thread", as: Start.self)
        commRank = try function("MPI_Comm_rank", as: Ask.self)
        commSize = try function("MPI_Comm_size", as: Ask.self)
        allGather = try function("MPI_Allgather", as: Exchange.self)
        allToAll = try function("MPI_Alltoall", as: Exchange.self)
        allReduce = try function("MPI_Allreduce", as: Reduce.self)
        abort = try function("MPI_Abort", as: Abort.self)
        finish = try function("MPI_Finalize", as: Finish.self)

        /// Of a library that speaks the standard's ABI, its version; of others -1 or nothing.
        var major: Int32 = -1, minor: Int32 = -1
        typealias Version = @convention(c) (UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>) -> Int32
        if let version = symbol("MPI_Abi_get_version") { _ = unsafeBitCast(version, to: Version.self)(&major, &minor) }
        if name.contains("libmpi_abi") || symbol("ompi_mpi_comm_world") == nil && major >= 1 {
            kind = .standard
            (world, byte, float, double, sum) = (0x101, 0x247, 0x210, 0x214, 0x21)
            inPlace = UnsafeRawPointer(bitPattern: 1)
        } else if let communicator = symbol("ompi_mpi_comm_world"), let byte = symbol("ompi_mpi_byte"), let float = symbol("ompi_mpi_float"),
            let double = symbol("ompi_mpi_double"), let sum = symbol("ompi_mpi_op_sum")
        {
            kind = .openMPI
            (world, self.byte, self.float) = (Int(bitPattern: communicator), Int(bitPattern: byte), Int(bitPattern: float))
            (self.double, self.sum) = (Int(bitPattern: double), Int(bitPattern: sum))
            inPlace = UnsafeRawPointer(bitPattern: 1)
        } else if Library.saysMPICH(symbol("MPI_Get_library_version")) {
            kind = .mpich
            (world, byte, float, double, sum) = (0x4400_0000, 0x4c00_010d, 0x4c00_040a, 0x4c00_080b, 0x5800_0003)
            inPlace = UnsafeRawPointer(bitPattern: -1)
        } else {
            throw RanksError.unknownLibrary(name)
        }
    }

    /// Whether a library calls itself MPICH, or one of those that share its ABI.
    private static func saysMPICH(_ version: UnsafeMutableRawPointer?) -> Bool {
        guard let version else { return false }
        typealias Version = @convention(c) (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int32>) -> Int32
        // The longest of any of them (MPI_MAX_LIBRARY_VERSION_STRING) is 8192.
        var text = [CChar](repeating: 0, count: 1 << 14), count: Int32 = 0
        guard unsafeBitCast(version, to: Version.self)(&text, &count) == 0 else { return false }
        let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return ["MPICH", "Intel(R) MPI", "MVAPICH", "CRAY MPICH", "ParaStation"].contains { words.contains($0) }
    }
}
