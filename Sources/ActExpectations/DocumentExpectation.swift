// The program blocks of a document, with what they print.
//
// A block fenced with ```act is run; the blocks of a document are lines of one session, and an error does not end it. What a block
// prints stands in its comments; what does not fit there (pictures, long messages) in an ```output block right after it, which then
// holds everything from the first line on that is in no comment. Other comments are prose: they begin with a letter and have a space.
// Without an ```output block the comments may quote a message in part, beginning with its first line.

package struct DocumentExpectation {
    /// A block, from the line after its fence on. Lines count from 0.
    package struct Block {
        package let code: [String]
        package let start: Int
        let output: [String]?
        /// The fences of the output and what is between; empty, right after the block, where there is none.
        let outputLines: Range<Int>

        var comments: [String] { code.compactMap { line in DocumentExpectation.comment(in: line).map { String(line[$0.text...]) } } }
    }

    private let lines: [String]
    package private(set) var blocks: [Block] = []
    /// A fence without an end, if there is one: its line from 1.
    package private(set) var openFence: Int?

    package init(_ text: String) {
        lines = Self.lines(text)
        var index = 0
        while index < lines.count {
            // What stands behind a fence has no backtick, as in CommonMark.
            guard lines[index].hasPrefix("```"), !lines[index].drop(while: { $0 == "`" }).contains("`") else {
                index += 1
                continue
            }
            guard let end = end(ofFence: index) else { return }
            if lines[index] == "```act" {
                let start = index + 1, code = Array(lines[start..<end])
                if end + 1 < lines.count, lines[end + 1] == "```output" {
                    guard let last = self.end(ofFence: end + 1) else { return }
                    blocks.append(Block(code: code, start: start, output: Array(lines[(end + 2)..<last]), outputLines: (end + 1)..<(last + 1)))
                    index = last + 1
                    continue
                }
                blocks.append(Block(code: code, start: start, output: nil, outputLines: (end + 1)..<(end + 1)))
            }
            index = end + 1
        }
    }

    private mutating func end(ofFence index: Int) -> Int? {
        let end = lines[(index + 1)...].firstIndex(of: "```")
        if end == nil { openFence = index + 1 }
        return end
    }

    /// Lines without the spaces at their ends.
    static func lines(_ text: some StringProtocol) -> [String] {
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            String(
                decoding: line[..<(line.lastIndex { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }.map(line.index(after:)) ?? line.startIndex)],
                as: UTF8.self)
        }
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private static func comment(in line: String) -> (mark: String.Index, text: String.Index)? {
        line.firstRange(of: "# ").map { ($0.lowerBound, $0.upperBound) }
    }

    // MARK: Comparing

    /// What one input of a block wrote, messages included; it ends on that line of the block, from 0.
    package typealias Printed = (line: Int, text: String)

    /// - Parameter printed: Of each block, in order, what its inputs wrote.
    package func differences(from printed: [[Printed]]) -> [Difference] {
        var found = zip(blocks, printed).compactMap { block, inputs in
            Self.fault(in: block, Self.lines(inputs.map(\.text).joined())).map { Self.difference($0, block, inputs) }
        }
        if let openFence { found.append(Difference(line: openFence, text: "the fence has no end", canBeUpdated: false)) }
        return found
    }

    private enum Fault {
        /// The value of that number is in no comment.
        case unsaid(String, number: Int)
        /// The comment is no value.
        case unprinted(String)
        case other(String)
    }

    /// A fault in words, at the line that is wrong.
    private static func difference(_ fault: Fault, _ block: Block, _ inputs: [Printed]) -> Difference {
        switch fault {
        case .other(let text): return Difference(line: block.start, text: text)
        case .unprinted(let text):
            let line = block.code.firstIndex { line in comment(in: line).map { line[$0.text...] == text } ?? false }
            return Difference(line: block.start + 1 + (line ?? -1), text: "it does not print \(text)")
        case .unsaid(let value, let number):
            var rest = number
            let input = inputs.first { input in
                rest -= separated(lines(input.text)).values.count
                return rest < 0
            }
            guard let line = input?.line, block.code.indices.contains(line) else { return Difference(line: block.start, text: "it prints \(value)") }
            let said = comment(in: block.code[line]).map { String(block.code[line][$0.text...]) }.flatMap { isProse($0) ? nil : $0 }
            return Difference(line: block.start + 1 + line, text: said.map { "it prints   \(value)\n  expected is \($0)" } ?? "it prints \(value)")
        }
    }

    /// What the document says wrongly, if anything.
    private static func fault(in block: Block, _ printed: [String]) -> Fault? {
        var comments = block.comments[...]
        var prose: [String] = []
        func takeComment(_ line: String) -> Bool {
            guard let place = comments.firstIndex(of: line) else { return false }
            prose += comments[..<place]
            comments = comments[(place + 1)...]
            return true
        }
        let (messages, values) = separated(printed)
        if let output = block.output {
            let rest = printed.drop(while: takeComment)
            if rest.map(withoutPlace) != output.map(withoutPlace) { return .other("after the comments it prints\n\(indented(rest.joined(separator: "\n")))") }
        } else {
            for (number, value) in values.enumerated() where !takeComment(value) { return .unsaid(value, number: number) }
        }
        prose += comments
        if block.output == nil {
            let quoted = prose.filter { line in messages.contains { withoutPlace($0) == withoutPlace(line) } }
            if quoted.isEmpty != messages.isEmpty { return .other("it says\n\(indented(messages.joined(separator: "\n")))") }
            prose.removeAll { quoted.contains($0) }
        }
        return prose.first { !isProse($0) }.map { .unprinted($0) }
    }

    private static func isProse(_ comment: String) -> Bool { comment.first?.isLetter == true && comment.contains(" ") && !isTitle(comment) }

    private static func isTitle(_ line: String) -> Bool { line.hasPrefix("error: ") || line.hasPrefix("warning: ") }

    /// The lines of errors and warnings, and the others.
    private static func separated(_ lines: [String]) -> (messages: [String], values: [String]) {
        var (messages, values): ([String], [String]) = ([], [])
        var isMessage = false
        for line in lines {
            let text = line.drop { $0 == " " }
            let goesOn =
                ["  <", "  in ", "  note: ", "  help: "].contains(where: line.hasPrefix)
                || line.hasPrefix("  ") && text.drop(while: \.isNumber).drop { $0 == " " }.hasPrefix("|")
            isMessage = isTitle(line) || isMessage && goesOn
            if isMessage { messages.append(line) } else { values.append(line) }
        }
        return (messages, values)
    }

    /// A message counts the inputs and lines of the session, which a reader does not.
    private static func withoutPlace(_ line: String) -> String {
        if let range = line.firstRange(of: "<repl ") { return String(line[..<range.upperBound]) + String(line[range.upperBound...].drop(while: \.isNumber)) }
        let text = line.drop { $0 == " " }
        let rest = text.drop(while: \.isNumber)
        return line.hasPrefix("  ") && text.count > rest.count && rest.hasPrefix(" | ") ? "  N" + String(rest) : line
    }

    // MARK: Writing down what came out

    /// The document with what its blocks wrote in the place of what differed.
    /// - Parameter printed: Of each block what each of its inputs wrote: the line of the block that the input ends on, from 0, and its text.
    package func updated(by printed: [[Printed]]) -> String {
        var result: [String] = [], next = 0
        for (block, inputs) in zip(blocks, printed) {
            result += lines[next..<block.start]
            let isRight = Self.fault(in: block, Self.lines(inputs.map(\.text).joined())) == nil
            result += isRight ? Array(lines[block.start..<block.outputLines.upperBound]) : Self.rewritten(block, inputs)
            next = block.outputLines.upperBound
        }
        return (result + lines[next...]).joined(separator: "\n") + "\n"
    }

    /// Values of one line stand behind the input that printed them. From the first input on whose text does not fit there, all goes below the block.
    private static func rewritten(_ block: Block, _ inputs: [Printed]) -> [String] {
        var code: [String] = [], output: [String] = [], start = 0
        for input in inputs {
            let own = block.code[start...min(input.line, block.code.count - 1)], printed = lines(input.text)
            start = min(input.line + 1, block.code.count)
            let fits = output.isEmpty && (printed.isEmpty || printed.count == 1 && !isTitle(printed[0]))
            for (index, line) in own.enumerated() {
                // Comments that were values are written anew; prose stays.
                let mark = comment(in: line).flatMap { isProse(String(line[$0.text...])) ? nil : $0.mark }
                let kept = mark.map { line[..<$0] } ?? line[...]
                let statement = String(kept.reversed().drop { $0 == " " }.reversed())
                if statement.isEmpty, mark != nil { continue }
                if fits, index == own.count - 1, let value = printed.first {
                    let gap = mark != nil && kept.count > statement.count ? kept.count - statement.count : 2
                    code.append(statement + String(repeating: " ", count: gap) + "# " + value)
                } else {
                    code.append(statement)
                }
            }
            if !fits { output += printed }
        }
        code += block.code[start...]
        return code + ["```"] + (output.isEmpty ? [] : ["```output"] + output + ["```"])
    }
}
