// The settings of windows: how large they are, how far apart, what lies around the images. Each is a number for all axes or a list of one
// for each; rows of layers declare and read them here.

import ActArray
import ActNeural
import ActRows

/// Whole numbers: one for all axes, or one for each.
package struct Sizes {
    let numbers: [Int]

    init(_ numbers: [Int]) { self.numbers = numbers }
}

/// What lies around images, along each axis.
package struct Padding {
    let axes: [Windows.Padding]
}

extension Signature {
    /// - Parameter rank: How many axes there are; `nil` where that is known only when the row is used.
    package mutating func sizes(_ name: String, rank: Int?, default fallback: Int? = nil, least: Int = 1, most: Int = Windows.most) -> Input<Sizes> {
        parameter(
            name, .sizes, expected: .each(.wholeFrom(least), axes: rank), default: fallback.map { Sizes([$0]) }, text: fallback.map(String.init),
            role: .steps,
            bounds: .within(Double(least)...Double(most)))
    }

    /// Sizes that are others unless they are given.
    package mutating func sizes(_ name: String, rank: Int?, like other: Input<Sizes>) -> Input<Sizes?> {
        parameter(
            name, .sizes, expected: .each(.wholeFrom(1), axes: rank), default: .some(nil), text: parameters[other.index].name, role: .steps,
            bounds: .within(1...Double(Windows.most)))
    }

    /// `padding`: a number, "same", or for each axis a number or a pair.
    package mutating func windowPadding(rank: Int?) -> Input<Padding> {
        parameter(
            "padding", .sizes, expected: .windowPadding(axes: rank), default: Padding(axes: [.of(before: 0, after: 0)]), text: "0",
            role: .steps,
            bounds: .within(0...Double(Windows.most)))
    }
}

extension LayerSettings {
    /// - Parameter rank: How many there must be; where one is given it counts for all.
    package func sizes(_ input: Input<Sizes>, rank: Int) throws -> [Int] { try spread(sizes(input), input, rank: rank) }

    package func sizes(_ input: Input<Sizes?>, rank: Int) throws -> [Int]? {
        guard let setting = try given(input) else { return nil }
        return try spread(wholes(setting, input), input, rank: rank)
    }

    /// As many as there are.
    package func sizes(_ input: Input<Sizes>) throws -> [Int] {
        guard let setting = try given(input) else { return input.fallback?.numbers ?? [] }
        return try wholes(setting, input)
    }

    private func spread<T>(_ numbers: [Int], _ input: Input<T>, rank: Int) throws -> [Int] {
        if numbers.count == rank { return numbers }
        guard numbers.count == 1, let number = numbers.first else { throw fail(input) }
        return [Int](repeating: number, count: rank)
    }

    private func wholes<T>(_ setting: Setting, _ input: Input<T>) throws -> [Int] {
        guard let elements = setting.elements else { return [try whole(setting, input)] }
        guard (1...Shapes.rankLimit - 2).contains(elements.count) else { throw fail(input) }
        return try elements.map { try whole($0, input) }
    }

    package func padding(_ input: Input<Padding>, rank: Int) throws -> [Windows.Padding] {
        func spread(_ axes: [Windows.Padding]) -> [Windows.Padding] { axes.count == 1 && rank > 1 ? [Windows.Padding](repeating: axes[0], count: rank) : axes }
        guard let setting = try given(input) else { return spread(input.fallback?.axes ?? []) }
        func pair(_ setting: Setting) throws -> Windows.Padding {
            guard let pair = setting.elements else {
                let number = try whole(setting, input)
                return .of(before: number, after: number)
            }
            guard pair.count == 2 else { throw fail(input) }
            return .of(before: try whole(pair[0], input), after: try whole(pair[1], input))
        }
        if case .text(let text) = setting {
            guard text == "same" else { throw fail(input) }
            return spread([.same])
        }
        guard let elements = setting.elements else { return spread([try pair(setting)]) }
        // Of one axis a pair need not stand in a list of one.
        if rank == 1, elements.count == 2 { return [try pair(setting)] }
        guard elements.count == rank else { throw fail(input) }
        return try elements.map(pair)
    }
}

extension Setting {
    /// Of a list.
    fileprivate var elements: [Setting]? {
        if case .list(let elements) = self { return elements }
        return nil
    }
}
