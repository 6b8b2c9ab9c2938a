// Python as text: expressions that know when they need parentheses, and modules made of them.

import ActArray
import ActGrad

/// An expression, and how tightly it binds.
struct Python {
    /// From names and calls to comparisons.
    enum Level: Int, Comparable {
        case atom, power, product, sum, comparison
        static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    let text: String
    let level: Level
    /// Whether it is a number as it stands.
    private(set) var isNumber = false

    init(_ text: String, _ level: Level = .atom) { (self.text, self.level) = (text, level) }

    /// Where no more than `level` may stand.
    @inline(never)
    func within(_ level: Level) -> String { self.level <= level ? text : "(\(text))" }

    /// - Parameter isSingle: Whether it is one of 32 bits, which fewer digits say.
    static func number(_ value: Double, isSingle: Bool = false) -> Python {
        var number =
            if value.isNaN { Python("float(\"nan\")") } else if value.isInfinite {
                Python(value < 0 ? "-float(\"inf\")" : "float(\"inf\")", value < 0 ? .product : .atom)
            } else { Python(isSingle ? "\(Float(value))" : "\(value)", value.sign == .minus ? .product : .atom) }
        number.isNumber = true
        return number
    }

    /// A number that the module computes.
    static func size(_ text: String, _ level: Level) -> Python {
        var number = Python(text, level)
        number.isNumber = true
        return number
    }

    static func call(_ name: String, _ arguments: Python...) -> Python { call(name, arguments) }
    @inline(never)
    static func call(_ name: String, _ arguments: [Python]) -> Python { Python("\(name)(\(arguments.map(\.text).joined(separator: ", ")))") }

    static func + (a: Python, b: Python) -> Python { Python("\(a.within(.sum)) + \(b.within(.product))", .sum) }
    static func - (a: Python, b: Python) -> Python { Python("\(a.within(.sum)) - \(b.within(.product))", .sum) }
    static func * (a: Python, b: Python) -> Python { Python("\(a.within(.product)) * \(b.within(.power))", .product) }
    static func / (a: Python, b: Python) -> Python { Python("\(a.within(.product)) / \(b.within(.power))", .product) }
    static prefix func - (a: Python) -> Python { Python("-\(a.within(.power))", .product) }

    static func infix(_ a: Python, _ sign: String, _ b: Python) -> Python { Python("\(a.within(.sum)) \(sign) \(b.within(.sum))", .comparison) }
}

/// A tuple, a list of whole numbers.
func tuple(_ numbers: [Int]) -> String { "(" + numbers.map(String.init).joined(separator: ", ") + (numbers.count == 1 ? ",)" : ")") }
