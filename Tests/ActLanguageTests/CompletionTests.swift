// What Tab offers, and help on names: both without a terminal.

import ActArray
import ActFiles
import ActLanguage
import Testing

@Suite struct CompletionTests {
    /// A session with a few variables.
    private func makeSession(_ text: String = "") throws -> Session {
        let session = try Session()
        let text = """
            width = 2; wide = [1, 2, 3]; net = {weights: [1, 2], bias: {start: 0, stop: 1}}; pair = (net, 3); 기울기 = 0.1
            layer = Dense(2, 3)
            scaled(x, slope=0.01, offset=0) = slope * x + offset
            \(text)
            """
        #expect(session.run(text, named: "test") == .done)
        return session
    }

    /// No name is as long as this: ordering its marks anew for each candidate would take hours.
    @Test func longNamesOfMarksComplete() throws {
        let session = try makeSession("e\u{301}tude = 1"), marks = String(repeating: "\u{301}", count: 20_000)
        #expect(session.completions(of: "e\u{301}tu", at: 5).candidates.count == 1)
        #expect(session.completions(of: "\u{e9}tu", at: 4).candidates.count == 1)
        for text in [marks, "a" + marks, "f(\"" + marks] {
            #expect(session.completions(of: text, at: text.utf8.count).candidates.allSatisfy { $0.hasPrefix("a") })
        }
    }

    struct Case: CustomStringConvertible, Sendable {
        /// The cursor is at its end.
        let text: String
        let replaces: String
        let candidates: [String]
        var description: String { text.debugDescription }
    }

    static let cases: [Case] = [
        Case(text: "wid", replaces: "wid", candidates: ["wide", "width"]),
        Case(text: "x = [width, wid", replaces: "wid", candidates: ["wide", "width"]),
        Case(text: "기", replaces: "기", candidates: ["기울기"]),
        Case(text: "contin", replaces: "contin", candidates: ["continue"]),
        Case(text: "leaky_r", replaces: "leaky_r", candidates: ["leaky_relu"]),
        Case(text: "nowhere_", replaces: "nowhere_", candidates: []),
        Case(text: "", replaces: "", candidates: []),
        // Names in the text that is being written.
        Case(text: "f(momentum) = {\n  2 * mom", replaces: "mom", candidates: ["momentum"]),
        // Fields
        Case(text: "net.", replaces: "", candidates: []),
        Case(text: "net.we", replaces: "we", candidates: ["weights"]),
        Case(text: "net.bias.sto", replaces: "sto", candidates: ["stop"]),
        Case(text: "pair[0].bi", replaces: "bi", candidates: ["bias"]),
        Case(text: "wide.dty", replaces: "dty", candidates: ["dtype"]),
        Case(text: "wide.resh", replaces: "resh", candidates: ["reshape"]),
        Case(text: "layer.W", replaces: "W", candidates: ["W"]),
        Case(text: "1.wid", replaces: "wid", candidates: ["wide", "width"]),
        Case(text: "nowhere.wei", replaces: "wei", candidates: []),
        // Arguments by name
        Case(text: "scaled(1, slop", replaces: "slop", candidates: ["slope="]),
        Case(text: "scaled(1, slope=2, ", replaces: "", candidates: ["offset=", "x="]),
        Case(text: "scaled(", replaces: "", candidates: ["offset=", "slope=", "x="]),
        Case(text: "plot(wide, titl", replaces: "titl", candidates: ["title="]),
        Case(text: "scaled((1, wid", replaces: "wid", candidates: ["wide", "width"]),
        // LaTeX names
        Case(text: "x + \\sigma", replaces: "\\sigma", candidates: ["σ"]),
        Case(text: "\\ph", replaces: "\\ph", candidates: ["ϕ"]),
        Case(text: "\\the", replaces: "\\the", candidates: ["θ"]),
        Case(text: "\\ps", replaces: "\\ps", candidates: ["ψ"]),
        Case(text: "\\e", replaces: "\\e", candidates: ["\\ell", "\\epsilon", "\\eta"]),
        // Files
        Case(text: "load(\"Package.s", replaces: "Package.s", candidates: ["Package.swift"]),
        Case(text: "load(\"Sources/CLib", replaces: "CLib", candidates: ["CLibEdit/"]),
        Case(text: "\"{wid", replaces: "wid", candidates: ["wide", "width"]),
        Case(text: "# wid", replaces: "", candidates: []),
        Case(text: "\"#\" + wid", replaces: "wid", candidates: ["wide", "width"]),
        // Commands
        Case(text: ":ti", replaces: ":ti", candidates: [":time"]),
        Case(text: ":load LICEN", replaces: "LICEN", candidates: ["LICENSE"]),
    ]

    @Test(arguments: cases) func completes(_ row: Case) throws {
        let (start, candidates) = try makeSession().completions(of: row.text, at: row.text.utf8.count)
        #expect(String(decoding: row.text.utf8.dropFirst(start), as: UTF8.self) == row.replaces)
        if row.text == "net." {
            for name in ["weights", "bias"] { #expect(candidates.contains(name)) }
        } else {
            #expect(candidates == row.candidates.sorted())
        }
    }

    /// What a value has itself comes before the functions that take it.
    @Test func ownFieldsComeFirst() throws {
        let session = try makeSession()
        #expect(session.completions(of: "layer.", at: 6).candidates.prefix(2) == ["W", "b"])
        let fields = session.completions(of: "net.", at: 4).candidates.prefix(2)
        #expect(Set(fields).isSubset(of: ["weights", "bias"]), "\(fields)")
    }

    @Test func whatFollowsTheCursorDoesNotMatter() throws {
        let (start, candidates) = try makeSession().completions(of: "wid * \"(", at: 3)
        #expect(start == 0 && candidates == ["wide", "width"])
    }

    @Test func noTextAndNoPlaceTrap() throws {
        let session = try makeSession()
        let text = "f(\"a{b.c[0]}\\\"\"\"\", x[1].y, {k: \\α.β}) # é\n)]}"
        for offset in -1...text.utf8.count + 1 { _ = (session.completions(of: text, at: offset), session.signature(in: text, at: offset)) }
    }

    @Test func sandboxHidesFiles() throws {
        var options = Session.Options()
        options.files = try FileDoor(allowing: [])
        #expect(try Session(options: options).completions(of: "load(\"Packag", at: 12).candidates.isEmpty)
    }

    @Test func signatures() throws {
        let session = try makeSession()
        #expect(session.signature(in: "scaled(", at: 7) == "scaled(x, slope=0.01, offset=0)")
        #expect(session.signature(in: "1 + linspace(0, ", at: 16)?.hasPrefix("linspace(start, stop, num=50") == true)
        #expect(session.signature(in: "(1, ", at: 4) == nil)
    }

    // MARK: Help

    @Test func helpKnowsEveryName() throws {
        let session = try makeSession()
        let lines = session.overview(width: 72).split(separator: "\n").filter { $0.hasPrefix("  ") }
        let names = lines.flatMap { $0.split(separator: " ").map(String.init) }
        #expect(names.count > 150)
        for name in names + SessionCommand.rows.map({ ":" + $0.name }) {
            #expect(session.help(name)?.isEmpty == false, "\(name)")
        }
        #expect(session.help("nowhere") == nil)
    }

    @Test func helpOnVariables() throws {
        let session = try makeSession("relu(x) = x")
        #expect(session.help("wide") == "wide: array f64 (3,)\n")
        #expect(session.help("scaled")?.hasPrefix("scaled(x, slope=0.01, offset=0)\n") == true)
        #expect(session.help("relu")?.contains("`unset relu`") == true)
    }

    @Test func theTourNamesTopics() throws {
        let session = try makeSession()
        let tour = session.explanation(of: "")
        for guide in Guide.rows {
            #expect(tour.contains("?\(guide.name) "), "\(guide.name)")
            #expect(session.explanation(of: guide.name).count > 60, "\(guide.name)")
        }
        #expect(session.explanation(of: "derivative").contains("value_and_grad"))
    }

    @Test func helpSearches() throws {
        let session = try makeSession()
        #expect(session.explanation(of: "sigmod").contains("Did you mean `sigmoid`"))
        #expect(session.explanation(of: "one-hot").contains("one_hot"))
    }
}
