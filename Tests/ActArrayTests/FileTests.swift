// Files of arrays: what NumPy and gzip wrote is read (FileCases.swift), what is written equals what NumPy writes, damage is an error.

import ActArray
import ActFiles
import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct FileTests {
    private func file(_ name: String) throws -> [UInt8] {
        let digits = Array(try #require(fileCases[name]).utf8)
        func value(_ digit: UInt8) -> UInt8 { digit < 58 ? digit - 48 : digit - 87 }
        return stride(from: 0, to: digits.count, by: 2).map { value(digits[$0]) << 4 | value(digits[$0 + 1]) }
    }

    private func reason(_ body: () throws -> some Any) -> String {
        do { _ = try body() } catch { return "\(error)" }
        return "no error"
    }

    /// What is wrong with a file, or `nil`.
    private func fault(_ body: () throws -> some Any) throws -> FileFault? {
        do { _ = try body() } catch let error as FileError { return error.fault }
        return nil
    }

    // MARK: NumPy

    @Test(arguments: ["f8", "f4", "b1", "bigEndian", "bigEndianF4", "columnMajor", "u1", "u2", "u4", "u8", "version2", "version3"])
    func readsNpy(name: String) throws {
        let array = try Npy.array(file(name), path: name)
        #expect(array.shape == [2, 3])
        #expect(try array.toDoubles() == (name == "b1" ? [0, 1, 0, 1, 0, 1] : [0, 1, 2, 3, 4, 5]))
        #expect(array.type == (name == "b1" ? .bool : ["f4", "bigEndianF4", "columnMajor"].contains(name) ? .f32 : .f64))
    }

    @Test(arguments: ["i1", "i2", "i4", "i8"])
    func readsSignedNpy(name: String) throws {
        #expect(try Npy.array(file(name), path: name).toDoubles() == [-3, -2, -1, 0, 1, 2])
    }

    @Test func readsOddNpy() throws {
        let number = try Npy.array(file("rank0"), path: "")
        #expect(try number.shape == [] && number.item() == 2.5)
        #expect(try Npy.array(file("empty"), path: "").shape == [0, 3])
        #expect(try Npy.array(file("large"), path: "").toDoubles() == [0x1p53, -0x1p60])
        #expect(try fault { try Npy.array(file("inexact"), path: "") } == .inexactElement(1, digits: "9007199254740993"))
        let half = try Npy.array(file("half"), path: "")
        #expect(try half.type == .f32 && half.toDoubles() == [0, 1, 2, 3, 4, 5])
        #expect(try fault { try Npy.array(file("complex"), path: "") } == .unknownNpyType("<c16"))
        #expect(try fault { try Npy.array(file("records"), path: "") } == .recordElements)
        #expect(try fault { try Npy.array(file("text"), path: "") } == .unknownNpyType("<U2"))
    }

    @Test func writesWhatNumPyWrites() throws {
        let m = try NDArray([0, 1, 2, 3, 4, 5], shape: [2, 3])
        #expect(try written { try Npy.write(m, into: $0) } == file("f8"))
        #expect(try written { try Npy.write(m.transposed().contiguous().transposed().converted(to: .f32), into: $0) } == file("f4"))
        #expect(try written { try Npy.write(NDArray(bools: [false, true, false, true, false, true], shape: [2, 3]), into: $0) } == file("b1"))
        #expect(try written { try Npy.write(NDArray.scalar(2.5, type: .f64), into: $0) } == file("rank0"))
        #expect(try written { try Npy.write(NDArray([], shape: [0, 3]), into: $0) } == file("empty"))
        #expect(try written { try Npy.write(NDArray([1, 2], shape: [2]), into: $0) } == file("vector"))
    }

    @Test func archives() throws {
        for (name, shape) in [("npzStored", [2, 3]), ("npzDeflated", [50, 40])] {
            let arrays = try Npz.arrays(file(name), path: name)
            #expect(arrays.map(\.name) == ["W", "b"])
            #expect(arrays[0].array.shape == shape)
        }
        #expect(try Npz.arrays(file("npzStored"), path: "")[0].array.toDoubles() == [0, 1, 2, 3, 4, 5])
        let both = [("σ.W", try NDArray([1, 2], shape: [2, 1])), ("b", try NDArray([1], shape: [1], type: .f32))]
        let back = try Npz.arrays(written { try Npz.write(both.map { (name: $0.0, array: $0.1) }, into: $0) }, path: "")
        #expect(back.map(\.name) == ["σ.W", "b"])
        #expect(try back[0].array.toDoubles() == [1, 2])
        #expect(back[1].array.type == .f32)
        #expect(try Npz.arrays(written { try Npz.write([], into: $0) }, path: "").isEmpty)
    }

    @Test func readsIdxAndGzip() throws {
        let bytes = try Idx.array(file("idx"), path: "")
        #expect(bytes.type == .f32)
        #expect(bytes.shape == [2, 3])
        #expect(try bytes.toDoubles() == [250, 251, 252, 253, 254, 255])
        #expect(try Idx.array(file("idxF4"), path: "").toDoubles() == [1.5, -2])
        #expect(try Idx.array(file("idxI2"), path: "").toDoubles() == [300, -2])
        #expect(try Gzip.unpacked(file("gzip"), path: "") == Array("hello world".utf8))
        #expect(try Gzip.unpacked(file("gzipZeros"), path: "") == [UInt8](repeating: 0, count: 300_000))
    }

    /// Every file cut short anywhere, and with any byte of its head changed, is read or refused, but never more.
    @Test(arguments: ["f8", "columnMajor", "empty", "version2", "npzStored", "npzDeflated", "idx", "gzip"])
    func damageIsAnError(name: String) throws {
        func read(_ bytes: [UInt8]) {
            if name.hasPrefix("npz") {
                _ = try? Npz.arrays(bytes, path: "")
            } else if name.hasPrefix("idx") {
                _ = try? Idx.array(bytes, path: "")
            } else if name == "gzip" {
                _ = try? Gzip.unpacked(bytes, path: "")
            } else {
                _ = try? Npy.array(bytes, path: "")
            }
        }
        let whole = try file(name)
        for length in 0..<whole.count { read(Array(whole.prefix(length))) }
        for i in whole.indices {
            for change: UInt8 in [0xFF, 0x39, 0x80, 0x01] {
                var bytes = whole
                bytes[i] = bytes[i] == change ? 0 : change
                read(bytes)
            }
        }
        #expect(throws: FileError.self) { try Npy.array(Array(file("f8").dropLast()), path: "") }
        #expect(throws: FileError.self) { try Npz.arrays(Array(file("npzStored").dropLast(30)), path: "") }
        #expect(throws: FileError.self) { try Idx.array(Array(file("idx").dropLast()), path: "") }
        #expect(throws: FileError.self) { try Gzip.unpacked(Array(file("gzipZeros").dropLast(20)), path: "") }
    }

    // MARK: Tables

    private func table(_ text: String, _ separator: Character = ",") throws -> Csv.Table {
        var options = Csv.Options()
        options.separator = separator.asciiValue
        return try Csv.table(Array(text.utf8), options: options).table
    }

    private func matrix(_ text: String) throws -> NDArray {
        let matrix: NDArray? = if case .matrix(let array) = try table(text) { array } else { nil }
        return try #require(matrix)
    }

    @Test func readsMatrices() throws {
        let m = try matrix("\u{FEFF}1, 2.5,-3\r\n4e2,.5,+6\r\n\r\n7,8,\"9\"\n")
        #expect(m.shape == [3, 3])
        #expect(try m.toDoubles() == [1, 2.5, -3, 400, 0.5, 6, 7, 8, 9])
        #expect(try matrix("5").shape == [1, 1])
        #expect(try matrix("").shape == [0, 0])
        #expect(try matrix("1\r2\r").shape == [2, 1])
        let holes = try matrix("1,,3\nnan,inf,-Infinity\n").toDoubles()
        #expect(holes[1].isNaN && holes[3].isNaN && holes[4] == .infinity && holes[5] == -.infinity)
    }

    /// Decimal texts and the doubles nearest to them, as Python's float() has them.
    @Test(arguments: [
        ("0.1", 0.1), ("1.500", 1.5), ("100", 100), ("0.001", 0.001), ("1001.25", 1001.25), ("123456789012345.678", 123456789012345.678),
        ("3.141592653589793238462643383279", 3.141592653589793), ("1e22", 1e22), ("1e23", 1e23), ("-2.2250738585072014e-308", -2.2250738585072014e-308),
        ("4.9e-324", Double.leastNonzeroMagnitude), ("1e400", Double.infinity), ("9007199254740992", 9007199254740992), ("00012", 12),
        ("10000000000000000000000", 1e22), ("-0", -0.0),
    ])
    func readsNumbersExactly(text: String, expected: Double) throws {
        #expect(try matrix(text).item().bitPattern == expected.bitPattern)
    }

    @Test func readsColumns() throws {
        guard case .columns(let columns) = try table("name\tage\t\tage\n\"Ada \"\"A.\"\"\"\t36\t1\t2\n Bob\t\t2\tx y\n", "\t") else {
            Issue.record("no columns")
            return
        }
        #expect(columns.map(\.name) == ["name", "age", "column3", "age_2"])
        guard case .texts(let names) = columns[0].values, case .numbers(let ages) = columns[1].values, case .texts(let last) = columns[3].values else {
            Issue.record("other kinds")
            return
        }
        // As RFC 4180 has it, spaces are part of a field.
        #expect(names == ["Ada \"A.\"", " Bob"])
        #expect(try ages.element(at: 0) == 36)
        #expect(try ages.element(at: 1).isNaN)
        #expect(last == ["2", "x y"])
        guard case .columns(let headOnly) = try table("a,b\n") else { Issue.record("no columns"); return }
        #expect(headOnly.count == 2)
    }

    @Test func tableFaultsNameTheirPlace() {
        #expect(reason { try table("1,2\n3\n") } == "fieldCount(1, row: 1, first: 2, isComment: false)")
        #expect(reason { try table("1,2\n3,x\n") } == #"notANumber("x", row: 1, column: 1)"#)
        #expect(reason { try table("1,9007199254740993\n") } == #"inexact("9007199254740993", row: 0, column: 1)"#)
        #expect(reason { try table("a\n\"b") } == "openQuote(row: 1)")
        #expect(reason { try table("\"a\"b,c\n") } == "textAfterQuote(row: 0, column: 0)")
        // Halves of everything.
        for text in ["a,\"b\"\"c\"\r\n1,\"2\"\r\n", "\"\"\"", ",,,\n", "-\n+\n.\ne\n1e\n1e+\n", "\r\r\n\n\r"] {
            for length in 0...text.utf8.count { _ = try? Csv.table(Array(text.utf8.prefix(length)), options: Csv.Options()) }
        }
    }

    // MARK: Whole files

    @Test func readsAndWritesWholeFiles() throws {
        let folder = "/tmp/act-files-\(getpid())"
        mkdir(folder, 0o755)
        defer {
            for name in ["a", "ro", "link", "sub"] { remove("\(folder)/\(name)") }
            rmdir(folder)
        }
        let path = folder + "/a"
        try FileDoor.open.write([1, 2, 3], to: path)
        #expect(try FileDoor.open.read(path) == [1, 2, 3])
        try FileDoor.open.write([], to: path)
        #expect(try FileDoor.open.read(path) == [])
        let large = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
        chmod(path, 0o600)
        try FileDoor.open.write(large, to: path)
        #expect(try FileDoor.open.read(path) == large)
        var information = stat()
        stat(path, &information)
        #expect(information.st_mode & 0o777 == 0o600)
        // A link stays one.
        symlink("a", folder + "/link")
        try FileDoor.open.write([9], to: folder + "/link")
        #expect(try FileDoor.open.read(path) == [9])
        lstat(folder + "/link", &information)
        #expect(information.st_mode & S_IFMT == S_IFLNK)
        // Nothing is left behind.
        var names: [String] = []
        if let listing = opendir(folder) {
            while let entry = readdir(listing) {
                names.append(withUnsafePointer(to: entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } })
            }
            closedir(listing)
        }
        #expect(names.filter { !$0.hasPrefix(".") || $0.hasPrefix(".act") }.sorted() == ["a", "link"])
    }

    @Test func fileFaultsAreErrors() throws {
        #expect(try fault { try FileDoor.open.read("/tmp/act-no-such-file") } == .system(code: ENOENT))
        #expect(try fault { try FileDoor.open.read("/tmp") } == .system(code: EISDIR))
        #expect(try fault { try FileDoor.open.write([1], to: "/tmp") } == .system(code: EISDIR))
        #expect(try fault { try FileDoor.open.write([1], to: "/tmp/act-no-such-folder/a") } == .folderMissing)
        #expect(try fault { try FileDoor.open.read("") } == .emptyPath)
        #expect(try fault { try FileDoor.open.read("/etc/passwd/x") } == .system(code: ENOTDIR))
        #expect(try fault { try FileDoor.open.read("/tmp/" + String(repeating: "x", count: 300)) } == .system(code: ENAMETOOLONG))
        #expect(try fault { try FileDoor.open.write([1], to: "/dev/null") } == nil)
        #if os(Linux)
        #expect(try fault { try FileDoor.open.write([1, 2], to: "/dev/full") } == .system(code: ENOSPC))
        #endif
    }

    @Test func largeFilesMeetTheMemoryLimit() throws {
        // A sparse file of 1 TiB.
        let path = "/tmp/act-sparse-\(getpid())"
        try FileDoor.open.write([0], to: path)
        defer { remove(path) }
        if truncate(path, 1 << 40) == 0 {
            #expect(throws: ArrayError.self) { try FileDoor.open.read(path) }
        }
        #expect(throws: ArrayError.self) { try NDArray([0], shape: [1]).tiled([1 << 44]).contiguous() }
    }
}
