// actfuzz: tries to bring act down with programs that nobody would write.
//
//     actfuzz [--seconds 180] [--seed 1] [--first 0] [--count N] [--patience 1] [--out FOLDER] [--part all] [SCRIPTS…]     tries, writes findings to FOLDER
//         --part programs: in the process, many thousands a minute; rows: every built-in with unwieldy arguments, interrupted; models: ONNX files;
//                layout: what `act fmt` makes of programs, COUNT of them; commands: the command from outside; kernel, editor: what front ends of
//                notebooks and editors would not say; all: a fifth of the time for each of the last two, a quarter for models, a sixth for programs,
//                a twelfth for each of the others
//         --patience 8: as if the machine were so many times slower and programs larger, as under sanitizers
//     actfuzz --show INDEX [--seed 1] [SCRIPTS…]                                              prints a program
//     actfuzz --one INDEX [--seed 1] [SCRIPTS…]                                               runs one here, for a debugger
//
// What must stay true: the supervisor runs nothing itself, so nothing that a program does can end it; the exit status is 1 if there
// were findings.

import ActLanguage
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

var plan = Supervisor.Plan()
var board: String?
var shown: Int?
var one: Int?
var part = "all"
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
    guard argument.hasPrefix("--") else {
        plan.corpus.append(argument)
        continue
    }
    guard let value = arguments.popFirst() else {
        print("\(argument) needs a value")
        exit(2)
    }
    switch argument {
    case "--seconds": plan.seconds = Double(value) ?? plan.seconds
    case "--seed": plan.seed = UInt64(value) ?? plan.seed
    case "--first": plan.first = Int(value) ?? plan.first
    case "--count": plan.count = Int(value) ?? plan.count
    case "--patience": plan.patience = Double(value) ?? plan.patience
    case "--out": plan.folder = value
    case "--worker": board = value
    case "--part": part = value
    case "--show": shown = Int(value)
    case "--one": one = Int(value)
    default:
        print("there is no option \(argument)")
        exit(2)
    }
}
if plan.corpus.isEmpty { plan.corpus = ["Tests/Scripts", "examples"] }

func absolute(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
}

// What a shell starts in the background ignores Ctrl-C, and so would the commands that are tried, until they listen.
signal(SIGINT, SIG_DFL)

mkdir(plan.folder, 0o755)
plan.folder = absolute(plan.folder)
plan.corpus = plan.corpus.map(absolute)
board = board.map(absolute)

// Programs read and write here, and nowhere else: in memory, for a write waits for the disk.
let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : plan.folder
let playground = "\(parent)/act-fuzz-\(getpid())"
// A worker is started in the supervisor's. One that is there was left by a process of this number that was killed.
if board == nil, mkdir(playground, 0o700) != 0 && errno != EEXIST || chdir(playground) != 0 {
    print("cannot work in \(playground)")
    exit(2)
}
@MainActor func leave(_ status: Int32) -> Never {
    fflush(nil)
    if board != nil { exit(status) }
    if let stream = opendir(".") {
        while let entry = readdir(stream) {
            _ = withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { unlink($0) } }
        }
        closedir(stream)
    }
    rmdir(playground)
    exit(status)
}

var generator = Generator(corpus: DeepStack.run { Corpus(folders: plan.corpus) }, seed: plan.seed)
generator.files = soundFiles()
generator.matter = Generator.Matter(rawValue: part) ?? .programs
if part == "layout" {
    let (laidOut, findings) = LayoutTrials(generator: generator).run(first: plan.first, count: plan.count, seconds: plan.seconds)
    findings.prefix(20).forEach { print($0) }
    print("\(laidOut) programs laid out, \(findings.count) findings")
    leave(findings.isEmpty ? 0 : 1)
} else if part == "commands", let index = shown ?? one {
    let trial = generator.command(index)
    print(Commands.text(trial) + String(decoding: trial.program, as: UTF8.self))
    if one != nil { print(Commands(plan: plan, generator: generator).run(trial) ?? "none") }
    leave(0)
} else if part == KernelConversation.name, let index = shown ?? one {
    Conversations<KernelConversation>(plan: plan, generator: generator).show(index, holds: one != nil)
    leave(0)
} else if part == EditorConversation.name, let index = shown ?? one {
    Conversations<EditorConversation>(plan: plan, generator: generator).show(index, holds: one != nil)
    leave(0)
} else if let shown {
    let trial = generator.trial(shown)
    print("# \(trial.kind), \(trial.seconds) s\n" + String(decoding: trial.program, as: UTF8.self))
    leave(0)
} else if let one, let board = Board(path: "\(playground)/board") {
    Worker(generator, board, patience: plan.patience).run(from: one, count: 1)
    let oddity = Oddity(rawValue: board[.oddity]) ?? .none
    print("\(generator.trial(one).kind): \(oddity.text)")
    leave(oddity == .none ? 0 : 1)
} else if let board {
    guard let board = Board(path: board) else { leave(2) }
    Worker(generator, board, patience: plan.patience).run(from: plan.first, count: plan.count)
    leave(0)
} else {
    print("\(generator.corpus.programs.count) programs, \(generator.corpus.expressions.count) expressions, \(generator.corpus.builtins.count) built-ins")
    var findings = 0
    let seconds = plan.seconds
    let parts = [("programs", 4.0), ("rows", 2.0), ("models", 6.0), ("commands", 2.0), ("kernel", 5.0), ("editor", 5.0)]
    for (name, share) in parts where part == name || part == "all" {
        plan.seconds = part == "all" ? share / 24 * seconds : seconds
        generator.matter = Generator.Matter(rawValue: name) ?? .programs
        switch name {
        case "commands": findings += Commands(plan: plan, generator: generator).run(seconds: plan.seconds, count: plan.count)
        case "kernel": findings += Conversations<KernelConversation>(plan: plan, generator: generator).run()
        case "editor": findings += Conversations<EditorConversation>(plan: plan, generator: generator).run()
        default: findings += Supervisor(plan: plan, generator: generator).run()
        }
    }
    leave(findings == 0 ? 0 : 1)
}
