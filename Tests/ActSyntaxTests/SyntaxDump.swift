// A tree as one line of S-expressions, for tests to compare.

import ActSyntax

extension SyntaxTree {
    /// The statements of the program, separated by spaces; `;` follows a silenced one.
    var dump: String { dump(program) }

    private func dump(_ run: Run<Statement>) -> String {
        self[run].map { dump($0.expression) + ($0.isSilenced ? ";" : "") }.joined(separator: " ")
    }

    private func dump(_ run: Run<ExpressionID>) -> String { self[run].map { " " + dump($0) }.joined() }

    private func dump(_ run: Run<Variable>) -> String {
        self[run].map { self[$0.name] + ($0.defaultValue.map { "=" + dump($0) } ?? "") }.joined(separator: " ")
    }

    func dump(_ id: ExpressionID) -> String {
        switch self[id] {
        case .number(let value): return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
        case .string(let id): return "\"\(self[id])\""
        case .interpolation(let run):
            let parts = self[run].map { part in
                switch part {
                case .text(let id): "\"\(self[id])\""
                case .value(let id, let format): dump(id) + (format == nil ? "" : ":")
                }
            }
            return "(template \(parts.joined(separator: " ")))"
        case .bool(let value): return "\(value)"
        case .none: return "none"
        case .name(let id): return self[id]
        case .array(let run): return "(array\(dump(run)))"
        case .list(let run): return "(list\(dump(run)))"
        case .record(let run): return "(record\(self[run].map { field in " \(field.name.map { self[$0] + ": " } ?? "...")\(dump(field.value))" }.joined()))"
        case .comprehension(let id):
            let node = self[id]
            let condition = node.condition.map { " if " + dump($0) } ?? ""
            return "(\(node.isList ? "each-list" : "each") \(dump(node.element)) for \(dump(node.variables)) in \(dump(node.iterable))\(condition))"
        case .unary(let operation, let x): return "(\(operation) \(dump(x)))"
        case .binary(let operation, let l, let r): return "(\(Self.symbol(operation)) \(dump(l)) \(dump(r)))"
        case .and(let l, let r): return "(and \(dump(l)) \(dump(r)))"
        case .or(let l, let r): return "(or \(dump(l)) \(dump(r)))"
        case .comparison(let first, let run):
            return "(compare \(dump(first))\(self[run].map { " \($0.comparison) \(dump($0.operand))" }.joined()))"
        case .pipe(let l, let r): return "(|> \(dump(l)) \(dump(r)))"
        case .compose(let l, let r): return "(>> \(dump(l)) \(dump(r)))"
        case .call(let callee, let run):
            let arguments = self[run].map { " " + ($0.name.map { self[$0] + "=" } ?? "") + dump($0.value) }
            return "(call \(dump(callee))\(arguments.joined()))"
        case .index(let base, let run):
            let items = self[run].map { item in
                switch item.kind {
                case .value(let id): " " + dump(id)
                case .ellipsis: " ..."
                case .slice(let lower, let upper, let step):
                    " [" + [lower, upper, step].map { $0.map(dump) ?? "" }.joined(separator: ":") + "]"
                }
            }
            return "(index \(dump(base))\(items.joined()))"
        case .field(let base, let name): return "(. \(dump(base)) \(self[name]))"
        case .prime(let base, let order): return "(prime\(order) \(dump(base)))"
        case .function(let id): return "(-> (\(dump(self[id].parameters))) \(dump(self[id].body)))"
        case .define(let id):
            return "(define \(self[id].name.map { self[$0] } ?? "?") (\(dump(self[id].parameters))) \(dump(self[id].body)))"
        case .block(let run): return run.isEmpty ? "{}" : "{\(dump(run))}"
        case .conditional(let run, let otherwise):
            let branches = self[run].map { " \(dump($0.condition)) \(dump($0.body))" }.joined()
            return "(if\(branches)\(otherwise.map { " else " + dump($0) } ?? ""))"
        case .forLoop(let id): return "(for \(dump(self[id].variables)) in \(dump(self[id].iterable)) \(dump(self[id].body)))"
        case .whileLoop(let condition, let body): return "(while \(dump(condition)) \(dump(body)))"
        case .breakLoop: return "break"
        case .continueLoop: return "continue"
        case .returnValue(let value): return value.map { "(return \(dump($0)))" } ?? "(return)"
        case .assign(let target, let value): return "(= \(dump(target)) \(dump(value)))"
        case .unpack(let targets, let value): return "(unpack\(dump(targets)) = \(dump(value)))"
        case .update(let operation, let target, let value): return "(\(Self.symbol(operation))= \(dump(target)) \(dump(value)))"
        case .unset(let name): return "(unset \(self[name]))"
        case .invalid: return "<invalid>"
        }
    }

    private static func symbol(_ operation: BinaryOperator) -> String {
        switch operation {
        case .add: "+"
        case .subtract: "-"
        case .multiply: "*"
        case .divide: "/"
        case .floorDivide: "//"
        case .remainder: "%"
        case .matmul: "@"
        case .power: "^"
        }
    }
}
