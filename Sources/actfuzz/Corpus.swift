// What the fuzzer's programs are made of: the programs that exist, cut into tokens, expressions and statements, and the built-ins.

import ActLanguage
import ActSyntax
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

typealias Bytes = [UInt8]

/// A piece of a program, with its words.
struct Piece {
    let bytes: Bytes
    let tokens: [Word]

    init(_ bytes: Bytes) {
        self.bytes = bytes
        tokens = Word.words(of: bytes)
    }
}

/// A token as the fuzzer needs it: it cuts whatever it meets, programs that do not parse included.
struct Word {
    enum Kind { case name, number, string, sign, comment }
    let kind: Kind
    let range: Range<Int>

    static func words(of bytes: Bytes) -> [Word] {
        var words: [Word] = []
        var position = 0
        func isLetter(_ byte: UInt8) -> Bool { byte >= 0x80 || byte == UInt8(ascii: "_") || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        while position < bytes.count {
            let start = position
            let byte = bytes[position]
            position += 1
            if byte <= 0x20 { continue }
            let kind: Kind
            if isLetter(byte) {
                while position < bytes.count, isLetter(bytes[position]) || isDigit(bytes[position]) { position += 1 }
                kind = .name
            } else if isDigit(byte) {
                while position < bytes.count, isDigit(bytes[position]) || isLetter(bytes[position]) || bytes[position] == UInt8(ascii: ".") { position += 1 }
                kind = .number
            } else if byte == UInt8(ascii: "\"") {
                while position < bytes.count, bytes[position] != byte, bytes[position] != 0x0A {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                position = min(position + 1, bytes.count)
                kind = .string
            } else if byte == UInt8(ascii: "#") {
                while position < bytes.count, bytes[position] != 0x0A { position += 1 }
                kind = .comment
            } else {
                if position < bytes.count, "|>->>==!=<=>=//**+=-=*=..".utf8.contains(bytes[position]) { position += 1 }
                kind = .sign
            }
            words.append(Word(kind: kind, range: start..<position))
        }
        return words
    }
}

struct Corpus {
    struct Program {
        let piece: Piece
        /// Where expressions and outermost statements stand.
        let expressions: [Range<Int>]
        let statements: [Range<Int>]
        /// Names that the program assigns or defines.
        let names: [Bytes]
    }

    private(set) var programs: [Program] = []
    /// Each once, in an order that depends on nothing but the programs.
    private(set) var expressions: [Piece] = []
    private(set) var statements: [Piece] = []
    let builtins: [Builtin] = BuiltinRows.all
    /// Names that mean something without being assigned.
    private(set) var knownNames: Set<Bytes> = []

    init(folders: [String]) {
        var texts = folders.flatMap { Corpus.files(below: $0) }.sorted().compactMap(Corpus.contents)
        texts += builtins.map(\.example).filter { !$0.isEmpty }.map { Array($0.utf8) }
        for row in builtins { for name in [row.name] + row.aliases { knownNames.insert(Array(name.utf8)) } }
        for name in ["pi", "e", "inf", "nan", "args", "true", "false", "none"] + keywords { knownNames.insert(Array(name.utf8)) }
        for text in texts where text.count < 20_000 { add(text) }
        var seen: Set<Bytes> = []
        for program in programs {
            for range in program.expressions where range.count < 300 && seen.insert(Array(program.piece.bytes[range])).inserted {
                expressions.append(Piece(Array(program.piece.bytes[range])))
            }
        }
        seen = []
        for program in programs {
            for range in program.statements where range.count < 600 && seen.insert(Array(program.piece.bytes[range])).inserted {
                statements.append(Piece(Array(program.piece.bytes[range])))
            }
        }
    }

    private mutating func add(_ bytes: Bytes) {
        let piece = Piece(bytes)
        guard let source = try? SourceText(id: 0, name: "", bytes: bytes) else { return }
        let tree = parse(source).tree
        func range(_ id: ExpressionID) -> Range<Int>? {
            let span = tree.span(of: id)
            let (start, end) = (Int(span.start), Int(span.end))
            return start >= 0 && start < end && end <= bytes.count ? start..<end : nil
        }
        var expressions: [Range<Int>] = []
        var names: [Bytes] = []
        for id in tree.expressionIDs {
            switch tree[id] {
            case .assign(let target, _), .update(_, let target, _):
                if case .name(let name) = tree[target] { names.append(Array(tree[name].utf8)) }
            case .define(let function):
                if let name = tree[function].name { names.append(Array(tree[name].utf8)) }
            case .unpack, .unset, .breakLoop, .continueLoop, .returnValue, .invalid, .block: break
            default:
                if let range = range(id) { expressions.append(range) }
            }
        }
        let statements = tree[tree.program].compactMap { range($0.expression) }
        programs.append(Program(piece: piece, expressions: expressions, statements: statements, names: names))
    }

    // MARK: Files

    static func contents(_ path: String) -> Bytes? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: Bytes = []
        var chunk = Bytes(repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    private static func files(below folder: String) -> [String] {
        guard let stream = opendir(folder) else { return folder.hasSuffix(".act") ? [folder] : [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { found += files(below: folder + "/" + name) }
        }
        return found
    }
}
