// Makes programs: existing ones with parts exchanged, built-ins called with anything, deep and long ones, broken text, broken files.
//
// What must stay true: a program depends on the seed, its number and the corpus alone.

import ActLanguage

/// One thing to try.
struct Trial {
    enum Kind: String {
        /// A whole program.
        case script
        /// A session: line by line, with completion and help.
        case lines
        /// Errors only, nothing runs.
        case check
        /// A call of the walk over the rows, in a session that has run its prelude.
        case call
    }
    var kind = Kind.script
    var program: Bytes
    /// A file beside the program.
    var file: (name: String, bytes: Bytes)?
    /// Seconds that it may take.
    var seconds = 0.05
    /// Bytes that it may hold.
    var memory = 32 << 20
    /// Seconds of processor time after which Ctrl-C comes.
    var interrupt: Double?
}

struct Generator {
    let corpus: Corpus
    let seed: UInt64
    /// Sound files of every format, by name.
    var files: [(name: String, bytes: Bytes)] = [] {
        didSet { models = ModelTrials(files.filter { $0.name.hasSuffix(".onnx") }) }
    }
    /// What is made.
    enum Matter: String { case programs, rows, models }
    var matter = Matter.programs
    /// What models are made of.
    private var models = ModelTrials([])

    init(corpus: Corpus, seed: UInt64) { (self.corpus, self.seed) = (corpus, seed) }

    func trial(_ index: Int) -> Trial {
        var random = Random(seed: seed, index: index)
        switch matter {
        case .rows:
            let program = RowWalk(corpus: corpus, seed: seed).call(index)
            return Trial(kind: .call, program: Array(program.utf8), seconds: 20, memory: 400 << 20, interrupt: 0.02 + Double(random.below(30)) / 1000)
        case .models: return models.trial(&random)
        case .programs: break
        }
        var trial: Trial
        switch random.below(100) {
        case ..<62: trial = Trial(program: mutated(&random))
        case ..<82: trial = Trial(program: calls(&random))
        case ..<88: trial = brokenFile(&random)
        case ..<94: trial = Trial(program: broken(mutated(&random), &random))
        default: trial = Trial(program: deep(&random))
        }
        switch random.below(10) {
        case 0, 1, 2: trial.kind = .check
        case 3: trial.kind = .lines
        default: trial.kind = .script
        }
        if trial.kind == .script, random.chance(6) { (trial.interrupt, trial.seconds) = (0.001 * Double(random.below(40)), 1) }
        // Few may take what an ordinary program may, for most of those that reach a limit say nothing new.
        if random.below(100) == 0 { (trial.seconds, trial.memory) = (1, Worker.memory) }
        return trial
    }

    // MARK: Existing programs with changes

    private func mutated(_ random: inout Random) -> Bytes {
        guard !corpus.programs.isEmpty else { return [] }
        let program = corpus.programs[random.below(corpus.programs.count)]
        let bytes = program.piece.bytes
        var edits: [(range: Range<Int>, with: Bytes)] = []
        for _ in 0...random.below(5) {
            if let edit = edit(program, &random) { edits.append(edit) }
        }
        // From the end, and only where nothing was changed.
        edits.sort { $0.range.lowerBound > $1.range.lowerBound }
        var result = bytes
        var bound = bytes.count
        for edit in edits where edit.range.upperBound <= bound {
            result.replaceSubrange(edit.range, with: edit.with)
            bound = edit.range.lowerBound
        }
        return result
    }

    private func edit(_ program: Corpus.Program, _ random: inout Random) -> (range: Range<Int>, with: Bytes)? {
        let (bytes, tokens) = (program.piece.bytes, program.piece.tokens)
        func word(_ kinds: Set<Word.Kind>) -> Word? {
            for _ in 0..<8 where !tokens.isEmpty {
                let word = tokens[random.below(tokens.count)]
                if kinds.contains(word.kind) { return word }
            }
            return nil
        }
        switch random.below(20) {
        case 0...6:
            guard !program.expressions.isEmpty else { return nil }
            return (program.expressions[random.below(program.expressions.count)], expression(&random, names: program.names))
        case 7, 8:
            guard !program.expressions.isEmpty else { return nil }
            let range = program.expressions[random.below(program.expressions.count)]
            return (range, wrapped(Array(bytes[range]), &random, names: program.names))
        case 9, 10, 11:
            let place = program.statements.isEmpty ? 0 : program.statements[random.below(program.statements.count)].upperBound
            let piece = random.pick(corpus.statements, or: Piece([]))
            return (place..<place, [0x0A] + renamed(piece, &random, names: program.names) + [0x0A])
        case 12, 13, 14:
            guard let word = word([.number]) else { return nil }
            return (word.range, Array(random.pick(Self.numbers, or: "0").utf8))
        case 15:
            guard let word = word([.name]) else { return nil }
            return (word.range, Array(random.pick(corpus.builtins, or: corpus.builtins[0]).name.utf8))
        case 16:
            guard let word = word([.name, .number, .string, .sign]) else { return nil }
            return (word.range, [])
        case 17:
            guard let word = word([.name, .number, .string, .sign]) else { return nil }
            return (word.range, Array(bytes[word.range]) + [0x20] + Array(bytes[word.range]))
        case 18:
            guard let word = word([.sign]) else { return nil }
            return (word.range, Array(random.pick(Self.signs, or: "+").utf8))
        default:
            guard let word = word([.string]) else { return nil }
            return (word.range, Array(random.pick(Self.strings, or: "\"\"").utf8))
        }
    }

    // MARK: Expressions

    /// An expression of any kind, in which names that the program has stand for those that it has not.
    private func expression(_ random: inout Random, names: [Bytes], depth: Int = 0) -> Bytes {
        switch random.below(depth < 3 ? 12 : 8) {
        case 0...3: return renamed(random.pick(corpus.expressions, or: Piece([])), &random, names: names)
        case 4: return Array(random.pick(Self.numbers, or: "0").utf8)
        case 5, 6: return Array(random.pick(Self.values, or: "0").utf8)
        case 7: return random.pick(names, or: Array("1".utf8))
        case 8, 9: return call(&random, names: names, depth: depth + 1)
        case 10: return wrapped(expression(&random, names: names, depth: depth + 1), &random, names: names)
        default:
            let sign = random.pick(Self.signs, or: "+")
            return expression(&random, names: names, depth: depth + 1) + Array(" \(sign) ".utf8) + expression(&random, names: names, depth: depth + 1)
        }
    }

    /// A call of a built-in with about as many arguments as it takes.
    private func call(_ random: inout Random, names: [Bytes], depth: Int) -> Bytes {
        let row = corpus.builtins[random.below(corpus.builtins.count)]
        let parameters = row.parameters
        var result = Array(row.name.utf8) + [UInt8(ascii: "(")]
        var isFirst = true
        for parameter in parameters {
            // Those with a default are often left out.
            if parameter.fallback != nil && random.chance(60) { continue }
            if random.chance(3) { continue }
            for _ in 0..<(parameter.isVariadic ? random.below(4) : 1) {
                if !isFirst { result += Array(", ".utf8) }
                isFirst = false
                if !parameter.isVariadic && (parameter.fallback != nil || random.chance(5)) { result += Array("\(parameter.name)=".utf8) }
                result += argument(parameter.name, &random, names: names, depth: depth)
            }
        }
        if !row.options.isEmpty && random.chance(50) {
            result += Array("\(isFirst ? "" : ", ")\(random.pick(Self.options, or: "title"))=".utf8) + argument("", &random, names: names, depth: depth)
        }
        if random.chance(4) { result += Array(", ".utf8) + argument("", &random, names: names, depth: depth) }
        return result + [UInt8(ascii: ")")]
    }

    private func argument(_ parameter: String, _ random: inout Random, names: [Bytes], depth: Int) -> Bytes {
        if ["axis", "keepdims", "num", "n", "k", "bins", "ddof", "runs", "columns"].contains(parameter), random.chance(70) {
            return Array(random.pick(["0", "1", "-1", "2", "(0, 1)", "true", "none", "1e9", "-3", "nan", "7"], or: "0").utf8)
        }
        if depth < 3 && random.chance(20) { return expression(&random, names: names, depth: depth) }
        if random.chance(25) { return renamed(random.pick(corpus.expressions, or: Piece([])), &random, names: names) }
        return Array((random.chance(75) ? random.pick(Self.values, or: "0") : random.pick(Self.numbers, or: "0")).utf8)
    }

    private func wrapped(_ bytes: Bytes, _ random: inout Random, names: [Bytes]) -> Bytes {
        let (open, close) = Self.wrappers[random.below(Self.wrappers.count)]
        let count = random.below(12) == 0 ? 1 << random.below(11) : 1
        let other = open.contains("$") || close.contains("$") ? expression(&random, names: names, depth: 3) : []
        func filled(_ text: String) -> Bytes { text.utf8.flatMap { $0 == UInt8(ascii: "$") ? other : [$0] } }
        let (before, after) = (filled(open), filled(close))
        guard (before.count + after.count) * count < 200_000 else { return bytes }
        return Array(repeatElement(before, count: count).joined()) + bytes + Array(repeatElement(after, count: count).joined())
    }

    /// The text of a piece; most names that mean nothing in the program become names that do.
    private func renamed(_ piece: Piece, _ random: inout Random, names: [Bytes]) -> Bytes {
        guard !names.isEmpty else { return piece.bytes }
        var result: Bytes = []
        var end = 0
        for (index, word) in piece.tokens.enumerated() where word.kind == .name {
            let name = Array(piece.bytes[word.range])
            let isField = index > 0 && piece.bytes[piece.tokens[index - 1].range.upperBound - 1] == UInt8(ascii: ".")
            guard !isField, !corpus.knownNames.contains(name), !names.contains(name), random.chance(80) else { continue }
            result += piece.bytes[end..<word.range.lowerBound] + names[random.below(names.count)]
            end = word.range.upperBound
        }
        return result + piece.bytes[end...]
    }

    // MARK: Other programs

    /// Built-ins on edge values and on each other's results.
    private func calls(_ random: inout Random) -> Bytes {
        var names: [Bytes] = []
        var result: Bytes = []
        for line in 0...random.below(6) {
            let name = Array("v\(line)".utf8)
            result += name + Array(" = ".utf8) + (random.chance(75) ? call(&random, names: names, depth: 0) : expression(&random, names: names)) + [0x0A]
            names.append(name)
            if random.chance(40) { result += name + [0x0A] }
            if random.chance(10) {
                result +=
                    name + Array("[".utf8) + expression(&random, names: names, depth: 2) + Array("] = ".utf8) + expression(&random, names: names, depth: 2) + [
                        0x0A
                    ]
            }
        }
        return result
    }

    /// Bytes taken out, put in and changed.
    private func broken(_ bytes: Bytes, _ random: inout Random) -> Bytes {
        var bytes = bytes
        let pieces = Array("(){}[]\"'.,:;=-+*/%^@<>!&|\\#\n\r\t 0x1e_?$`".utf8) + [0, 0x7F, 0xEF, 0xBB, 0xBF, 0xCC, 0x81, 0xF0, 0x9F, 0xFF]
        for _ in 0...random.below(8) {
            let index = random.below(bytes.count + 1)
            switch random.below(5) {
            case 0 where index < bytes.count: bytes.remove(at: index)
            case 1: bytes.insert(random.pick(pieces, or: 0), at: index)
            case 2 where index < bytes.count: bytes[index] = UInt8(truncatingIfNeeded: random.next())
            case 3: bytes.removeSubrange(index..<min(index + random.below(40), bytes.count))
            default:
                let end = min(index + random.below(60), bytes.count)
                bytes.insert(contentsOf: bytes[index..<end], at: random.below(bytes.count + 1))
            }
        }
        return bytes
    }

    /// Far deeper or longer than anyone writes.
    private func deep(_ random: inout Random) -> Bytes {
        let count = 1 << random.below(15)
        let core = expression(&random, names: [], depth: 3)
        if random.chance(50) {
            let (open, close) = Self.wrappers.filter { !$0.0.contains("$") && !$0.1.contains("$") }[random.below(8)]
            return Array(String(repeating: open, count: count).utf8) + core + Array(String(repeating: close, count: count).utf8)
        }
        let link = random.pick(
            [
                " + 1", " * x", "[0]", "'", "(x)", ".T", " and true", " < 2", " @ x", " ^ 1", "\n|> sum", " >> relu", ", 1", " == 1", "; x = (x,)",
                "\nx = {a: x}",
                "\nx = [x, x]", "\nx = x >> f", "\nf = f'", "\nx = x + \"a\"", "\nx = sin(x)", "\nx = x[none]", "\nx = concat(x, x)", "\nf = grad(f)",
            ], or: "")
        return Array("x = 1; f(y) = y * y\n".utf8) + (random.chance(30) ? Array("x".utf8) : core) + Array(String(repeating: link, count: min(count, 4000)).utf8)
            + Array("\nx\nf(1)".utf8)
    }

    /// A file with a fault, and a program that reads it.
    private func brokenFile(_ random: inout Random) -> Trial {
        guard !files.isEmpty else { return Trial(program: calls(&random)) }
        let (name, sound) = files[random.below(files.count)]
        var bytes = sound
        for _ in 0..<random.below(4) {
            let index = random.below(bytes.count + 1)
            switch random.below(8) {
            case 6: bytes = bytes + bytes
            // Sizes stand in headers: as digits, and as bytes of either order.
            case 7 where index < bytes.count: bytes[index] = bytes[index] &+ UInt8(random.chance(50) ? 1 : 255)
            case 0: bytes.removeSubrange(index...)
            case 1 where index < bytes.count: bytes[index] ^= 1 << UInt8(random.below(8))
            case 2 where index < bytes.count: bytes[index] = [0, 0xFF, 0x7F, 0x80, UInt8(ascii: "9"), UInt8(ascii: "-")][random.below(6)]
            case 3: bytes.removeSubrange(index..<min(index + random.below(16), bytes.count))
            case 4: bytes.insert(contentsOf: Array(random.pick(Self.numbers, or: "0").utf8), at: index)
            default:
                let end = min(index + 8, bytes.count)
                bytes.replaceSubrange(index..<end, with: Bytes(repeating: random.chance(50) ? 0xFF : 0, count: end - index))
            }
        }
        let program = "v = load(\"\(name)\")\nv\n\(random.chance(30) ? "sum(v)" : "save(v, \"again-\(name)\")\nload(\"again-\(name)\")")\n"
        return Trial(program: Array(program.utf8), file: (name, bytes))
    }
}
