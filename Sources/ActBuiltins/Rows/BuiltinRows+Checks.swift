// Time, checks and help.

import ActArray
import ActMachine
import ActRows
import ActSyntax
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension BuiltinRows {
    static let checks: [Builtin] = [
        Builtin(
            .checks, "timeit", "how long a call of f takes: a record {min, median, mean, runs, replayed}, in seconds",
            details:
                "f is called without arguments. Each run repeats short calls until it lasts a millisecond; deferred computation is done inside the time. `replayed` says whether derivatives or functions with loops in it ran as the operations that they come to, without the program: see `grad`.",
            example: "timeit(() -> exp(1), runs=3).runs   # 3"
        ) { takes in
            let f = takes.function("f"), runs = takes.whole("runs", default: 10, .within(1...1_000_000))
            return { call in
                try NDArray.refuse(.time)
                let f = try call[f], runs = try call[runs], machine = call.machine
                func time(_ count: Int) throws -> Double {
                    let start = act_seconds()
                    for _ in 0..<count { try machine.call(f, Arguments([])).settle() }
                    return act_seconds() - start
                }
                // Also warms caches up; not counted.
                var repeats = 1
                var elapsed = try time(1)
                while elapsed < 1e-3 && repeats < 1 << 24 {
                    repeats = elapsed > 0 ? min(repeats * 10, max(repeats + 1, Int((1.2e-3 / elapsed * Double(repeats)).rounded(.up)))) : repeats * 10
                    elapsed = try time(repeats)
                }
                var times: [Double] = []
                let replays = machine.replayCount
                for _ in 0..<runs { times.append(try time(repeats) / Double(repeats)) }
                times.sort()
                let median = runs % 2 == 1 ? times[runs / 2] : (times[runs / 2 - 1] + times[runs / 2]) / 2
                return try .record([
                    "min": .number(times[0]), "median": .number(median), "mean": .number(times.reduce(0, +) / Double(runs)), "runs": .number(Double(runs)),
                    "replayed": .bool(machine.replayCount > replays),
                ])
            }
        },
        Builtin(.checks, "clock", "the time in seconds since some moment in the past; differences count", example: "clock() <= clock()   # true") { _ in
            { _ in
                try NDArray.refuse(.time)
                return .number(act_seconds())
            }
        },
        Builtin(
            .checks, "assert", "an error unless the condition holds", details: "The condition is one bool; for an array write `all(…)`.",
            example: "assert(1 + 1 == 2)", role: .steps
        ) { takes in
            let condition = takes.value("condition"), message = takes.valueOrNone("message")
            return { call in
                if try call.machine.truth(of: call[condition]) { return .none }
                if call.isGiven(message) { throw RuntimeError.user(try Format.text(call[message])) }
                throw RuntimeError.assertion(call.argumentTexts.first)
            }
        },
        Builtin(
            .checks, "error", "ends the program with an error that says the message",
            example: "f(x) = if x < 0 { error(\"negative\") } else { sqrt(x) }; f(4)   # 2", treatment: .endsProgram, role: .steps
        ) { takes in
            let message = takes.value("message")
            return { call in throw RuntimeError.user(try Format.text(call[message])) }
        },
        Builtin(
            .checks, "why", "finds where a NaN, an infinity or a 0 in the value of an expression comes from, and shows the place with the operands there",
            details:
                "The expression is computed once more, with everything noted that happens on the way, in functions too, and so are the assignments of the variables that the search leads to. "
                + "Random numbers are drawn as they were; nothing is printed or saved. Of a derivative that is 0 or NaN, the operation that makes it so is shown.",
            example: """
                x = [3, -2]; y = relu(x) * 2
                why(y)   # note: `y` is 0 at position 1, because of `relu(x)`
                #  test.act:1:18
                #  1 | x = [3, -2]; y = relu(x) * 2
                #    |                  ^^^^^^^
                #    |                  0    -2
                #  note: it came by way of `y` (test.act:1:14)
                """, treatment: .takesExpression, role: .steps
        ) { takes in
            let expression = takes.value("expression")
            return { call in
                // One that runs again for another says nothing.
                if try !call.machine.hasEffects() { return .none }
                guard case .function(let function as Closure) = call[expression], function.code.isLiteral else {
                    throw call.fail(expression, .expression)
                }
                try call.machine.write(call.machine.host.explanation(of: function))
                return .none
            }
        },
        Builtin(
            .checks, "help", "shows what a function is for: its signature, formula, derivative, range, kinks and an example",
            details: "`name` is a function or a string; `?name` in the REPL does the same.", role: .steps
        ) { takes in
            let subject = takes.value("name")
            return { call in
                let name: String
                switch call[subject] {
                case .string(let text): name = text.string
                case .function(let function): name = function.name
                default: throw call.fail(subject, .functionOrName)
                }
                guard let (text, picture) = call.machine.host.help(on: name) else {
                    let near = suggest(name, among: call.machine.currentOrigin?.code.module.builtins.names ?? [])
                    throw BuiltinRefusal.noHelp(on: name, near: near)
                }
                try call.machine.write(text.hasSuffix("\n") ? text : text + "\n")
                if let picture { try call.machine.host.show(picture, isResult: false) }
                return .none
            }
        },
    ]
}
