// The command line: what may be written after `act`, and what each part of it does.
//
// What must stay true: everything after FILE is the script's own, whatever it begins with; the exit status is 0, 1, 2 or 130 as
// `ExitStatus` says, or what the program asked for.

import ActArray
import ActFiles
import ActLanguage
import ActRanks
import ActSyntax
import ArgumentParser
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

let actVersion = "0.1.0"

enum ExitStatus {
    static let success: Int32 = 0
    /// An error in the program, a limit reached included, or a file that cannot be read.
    static let failure: Int32 = 1
    static let usage: Int32 = 2
    static let interrupted: Int32 = 130

    /// As shells count: what ended the process is left to see.
    static func ended(by signal: Int32) -> Int32 { 128 &+ signal }
}

struct ActCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "act",
        abstract: "A small array language for activation functions and neural-network layers.",
        usage: """
            act [OPTIONS]                      the interactive session
            act [OPTIONS] FILE [ARG ...]       runs a script; `args` holds its arguments
            act [OPTIONS] -e TEXT [ARG ...]    runs text
            act [OPTIONS] - [ARG ...]          runs standard input

            """ + Subcommand.rows.map { $0.usage + String(repeating: " ", count: max(1, 35 - $0.usage.count)) + $0.summary }.joined(separator: "\n"),
        discussion: "Exit status: 0; 1 an error in the program; 2 wrong usage; 130 interrupted.")

    @Option(name: .customShort("e"), parsing: .unconditional, help: ArgumentHelp("Run this text.", valueName: "text"))
    var text: String?

    @Flag(help: "Make warnings about numbers (overflow, division by zero, NaN) errors.")
    var strict = false

    @Flag(help: "Do not show warnings.")
    var noWarn = false

    @Option(help: ArgumentHelp("Compute with this many threads.", valueName: "n"))
    var threads: Int?

    @Option(name: .customShort("n"), help: ArgumentHelp("Run the program in this many processes, which train together.", valueName: "processes"))
    var ranks: Int?

    @Option(help: ArgumentHelp("Start random numbers from this seed.", valueName: "n"))
    var seed: UInt64?

    @Option(
        help: ArgumentHelp(
            "Memory that values may take: bytes, or 512M, 2G. By default, and at most, 80 % of what the system, its container and ulimit leave.",
            valueName: "size"))
    var maxMemory: MemorySize?

    @Option(help: ArgumentHelp("Seconds that a program, or a line of the session, may take.", valueName: "seconds"))
    var maxTime: Double?

    @Flag(help: "Let programs touch no files.")
    var sandbox = false

    @Option(parsing: .unconditionalSingleValue, help: ArgumentHelp("With --sandbox: except the files below this folder.", valueName: "dir"))
    var allow: [String] = []

    @Flag(help: "Show the version; with --sandbox also what the system enforces of it.")
    var version = false

    @Option(help: "How figures are shown: by themselves as pictures in terminals that show some, else in Braille dots.")
    var plot: PlotMode = .auto

    @ArgumentParser.Argument(parsing: .captureForPassthrough, help: ArgumentHelp("A script, or - for standard input, and its arguments.", valueName: "file"))
    var operands: [String] = []

    func validate() throws {
        if let threads, !(1...256).contains(threads) { throw ValidationError("--threads takes a number from 1 to 256, not \(threads)") }
        if let ranks, !(1...Launcher.most).contains(ranks) { throw ValidationError("-n takes a number from 1 to \(Launcher.most), not \(ranks)") }
        if let maxTime, !(maxTime > 0 && maxTime.isFinite) { throw ValidationError("--max-time takes a positive number of seconds, not \(maxTime)") }
        if !allow.isEmpty && !sandbox { throw ValidationError("--allow says what --sandbox leaves open: give both") }
    }

    /// Does what the arguments ask for.
    /// - Returns: The exit status.
    static func run(_ arguments: [String]) -> Int32 {
        if let task = Task(plain: arguments) { return task.perform(Settings()) }
        do {
            let command = try parse(arguments)
            return try command.task().perform(try command.settings)
        } catch {
            return reportUsage(error)
        }
    }

    private static func reportUsage(_ error: Error) -> Int32 {
        guard exitCode(for: error) != .success else {
            Output.standard.write(fullMessage(for: error) + "\n")
            return Output.standard.finish() ? ExitStatus.success : ExitStatus.failure
        }
        let words = message(for: error).split(separator: "\n", omittingEmptySubsequences: false).map { DiagnosticRenderer.shown(String($0)) }
        Output.error.write("error: \(words.joined(separator: "\n"))\n  help: `act --help` shows what can be written\n")
        Output.error.flush()
        return ExitStatus.usage
    }

    private var settings: Settings {
        get throws {
            Settings(
                isStrict: strict, warns: !noWarn, threads: threads, seed: seed, maximumMemory: maxMemory?.bytes, maximumTime: maxTime,
                isSandboxed: sandbox, allowedFolders: try allowedFolders, plot: plot, ranks: ranks)
        }
    }

    /// Settings with some options besides, as they stand on a command line.
    static func settings(_ options: [String], over settings: Settings) -> Result<Settings, Diagnostic> {
        if options.isEmpty { return .success(settings) }
        do {
            let command = try parse(options), own = try command.settings
            if let option = command.operands.first, option.hasPrefix("-") { throw unknownOption(option, among: Self.options) }
            guard command.operands.isEmpty, command.text == nil else { throw ValidationError("options begin with --: \(options.joined(separator: " "))") }
            if own.ranks != nil { throw ValidationError("-n stands on the command line: these programs run in one process") }
            var result = settings
            result.isStrict = settings.isStrict || own.isStrict
            result.warns = settings.warns && own.warns
            result.threads = own.threads ?? settings.threads
            result.seed = own.seed ?? settings.seed
            result.maximumMemory = own.maximumMemory ?? settings.maximumMemory
            result.maximumTime = own.maximumTime ?? settings.maximumTime
            result.isSandboxed = settings.isSandboxed || own.isSandboxed
            result.allowedFolders += own.allowedFolders
            if own.plot != .auto { result.plot = own.plot }
            return .success(result)
        } catch {
            return .failure(Diagnostic(.command, message(for: error)))
        }
    }

    private var allowedFolders: [[UInt8]] {
        get throws {
            try allow.map { text in
                guard let bytes = RawArguments.bytes(of: text, option: "--allow") else {
                    throw ValidationError("two arguments read as \(text) and are not the same bytes")
                }
                return bytes
            }
        }
    }

    private func versionText() throws -> String {
        guard sandbox else { return "act \(actVersion)" }
        do {
            return "act \(actVersion)\n\(Sandbox.enter(try FileDoor(allowing: try allowedFolders)).description)"
        } catch let error as FileError {
            throw ValidationError("--allow \(error.path): \(error.fault.words)")
        }
    }

    private func task() throws -> Task {
        if version { throw CleanExit.message(try versionText()) }
        var operands = operands[...]
        // The rest was taken as it is, so an option that the parser does not know has come here too.
        if let first = operands.first, first.hasPrefix("-"), first != "-" {
            switch first {
            case "--": operands.removeFirst()
            case "-h", "--help": throw CleanExit.helpRequest()
            default: throw Self.unknownOption(first, among: Self.options)
            }
        }
        if let text { return .text(text, arguments: Array(operands)) }
        guard let first = operands.popFirst() else {
            if ranks != nil { throw ValidationError("-n runs a program in several processes: name its file") }
            return .session
        }
        switch first {
        case "-": return .standardInput(arguments: Array(operands))
        default:
            guard let subcommand = Subcommand.named(first) else { return .file(first, arguments: Array(operands)) }
            if ranks != nil { throw ValidationError("`act \(subcommand.name)` runs in one process, without -n") }
            return try subcommand.task(operands)
        }
    }

    /// Every option as the help lists it: `--strict`, `-e`.
    private static var options: [String] {
        helpMessage(columns: 1000).split(separator: "\n").flatMap { line -> [String] in
            let line = line.drop { $0 == " " }
            guard line.hasPrefix("-") else { return [] }
            // What the option is for stands after a gap.
            return (line.firstRange(of: "  ").map { line[..<$0.lowerBound] } ?? line).split { " ,/".contains($0) }.filter { $0.hasPrefix("-") }.map(String.init)
        }
    }

    static func unknownOption(_ option: String, of subcommand: Subcommand? = nil, among known: [String]) -> ValidationError {
        let name = String(option.prefix { $0 != "=" })
        if let subcommand, options.contains(name) { return ValidationError("\(name) stands before the subcommand: `act \(name) \(subcommand.name) …`") }
        let near = suggest(name, among: known)
        return ValidationError("there is no option \(name)" + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"))
    }
}

/// A number of bytes: `4096`, `512M`, `2G`, `1.5G`; units are powers of 1024.
struct MemorySize: ExpressibleByArgument {
    let bytes: Int

    init?(argument: String) {
        var digits = argument[...]
        if digits.last == "B" || digits.last == "b" { digits.removeLast() }
        if digits.last == "i" { digits.removeLast() }
        let units: [Character: Double] = ["K": 0x1p10, "M": 0x1p20, "G": 0x1p30, "T": 0x1p40]
        var unit = 1.0
        if let letter = digits.last?.uppercased().first, let size = units[letter] {
            unit = size
            digits.removeLast()
        }
        guard let first = digits.first, first.isASCII, first.isNumber, let number = Double(digits) else { return nil }
        let size = (number * unit).rounded()
        guard size >= 1, size < 0x1p62 else { return nil }
        bytes = Int(size)
    }

    static var allValueStrings: [String] { [] }
    var defaultValueDescription: String { String(bytes) }
}

extension PlotMode: ExpressibleByArgument {}
