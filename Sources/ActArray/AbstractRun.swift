// A run of a function on arrays that stand for elements not given yet. Operations on them compute nothing: their nodes say what would be
// computed of what, so that the whole function can be run later, again and again, without running the program that it is written in.
//
// What must stay true:
// - An abstract array has a shape and an element type, no data, and nothing pending. Only operations that know about them make others of them;
//   every other one asks for elements, which throws `ElementsUnknown` and spoils the run, even if whoever asked goes on.
// - So what a run that is not spoiled leads to is the same for all elements, but for its assumptions: those are looked at in each replay.

import CActKernels

/// Thrown where elements of an abstract array are asked for.
package struct ElementsUnknown: Error {
    package init() {}
}

package final class AbstractRun {
    /// The elements of an array lie in a range: what the function went on with, when it was run.
    package struct Assumption {
        package let array: NDArray
        package let range: ClosedRange<Double>
    }

    /// Whether something was asked that elements decide, or was done that a replay would not do.
    package private(set) var isSpoiled = false
    package private(set) var assumptions: [Assumption] = []
    /// For arrays that hide from derivatives what they are: the array of the same elements.
    private var sources: [ObjectIdentifier: NDArray] = [:]
    /// Arrays that programs see as numbers.
    private var numbers: Set<ObjectIdentifier> = []
    /// Nodes stay alive, or another could have the same identity.
    private var kept: [NDArray] = []

    /// What was computed that a flag of the processor may tell of, needed or not: who runs the function hears of it.
    package private(set) var computed: [NDArray] = []
    /// How many operations there have been.
    package private(set) var operations = 0
    /// A run of more is spoiled: what takes so many costs more than interpreting it.
    package static let mostOperations = 1 << 16

    /// What a run is for.
    package enum Purpose {
        /// To be run again and again, with the bits of the function.
        case replay
        /// For many arguments at once: functions with kernels of their own are taken as the primitives that they are equal to but for rounding.
        case batch
        /// For the shapes of what comes out and nothing else: whatever is made or computed stands for elements, arrays of numbers and what kernels
        /// give too, and nobody may replay it.
        case shapes
    }

    let purpose: Purpose
    var isOfShapes: Bool { purpose == .shapes }

    package init(for purpose: Purpose = .replay) { self.purpose = purpose }

    /// The run of the calling thread.
    package static var current: AbstractRun? {
        guard let run = act_context().pointee.abstract_run else { return nil }
        return Unmanaged<AbstractRun>.fromOpaque(run).takeUnretainedValue()
    }

    /// Calls `body` as this run.
    package func run<T>(_ body: () throws -> T) rethrows -> T {
        let context = act_context(), outer = context.pointee.abstract_run
        context.pointee.abstract_run = Unmanaged.passUnretained(self).toOpaque()
        defer { context.pointee.abstract_run = outer }
        return try withExtendedLifetime(self, body)
    }

    package func spoil() { isSpoiled = true }

    /// One operation more. Returns whether that is not too many.
    fileprivate func counts() -> Bool {
        operations += 1
        return operations <= Self.mostOperations
    }

    /// Goes on as if all elements of an abstract array lay in the range (NaN lies in none).
    package static func assume(_ array: NDArray, in range: ClosedRange<Double>) {
        current?.assumptions.append(Assumption(array: array, range: range))
    }

    /// What an array is the same as; `nil` for one that is computed from its inputs, or given.
    package func source(of array: NDArray) -> NDArray? { sources[ObjectIdentifier(array.node)] }

    fileprivate func noteComputed(_ array: NDArray, by primitive: Primitive) {
        switch primitive {
        case .data, .variable, .test, .logical, .reshape, .transpose, .broadcast, .slice, .unslice, .concatenate, .gather, .select: break
        case .unary, .binary, .compare, .convert, .matmul, .reduce, .cumulative, .normalize, .scatterAdd, .custom: computed.append(array)
        }
    }

    /// Whether one of the arrays is a number to programs.
    fileprivate func haveNumber(_ arrays: [NDArray]) -> Bool { !numbers.isEmpty && arrays.contains { numbers.contains(ObjectIdentifier($0.node)) } }

    fileprivate func noteNumber(_ array: NDArray) {
        numbers.insert(ObjectIdentifier(array.node))
        kept.append(array)
    }

    /// Notes that an abstract array has the elements of another one.
    fileprivate func note(_ array: NDArray, of source: NDArray) {
        sources[ObjectIdentifier(array.node)] = source
        kept.append(array)
    }
}

extension CustomFunction {
    /// Its result of abstract arrays, in a run for many arguments at once; `nil` where its kernels have to be run.
    package func resultWithoutElements(_ inputs: [NDArray]) throws -> NDArray? {
        guard let run = AbstractRun.current, run.purpose == .batch, inputs.contains(where: \.isAbstract),
            let value = try lowered(inputs.map { try $0.detached() })
        else {
            return nil
        }
        return try NDArray.custom(self, inputs: inputs, value: value)
    }
}

extension NDArray {
    package var isAbstract: Bool { node.isAbstract }

    /// An array whose elements are not known.
    package static func abstract(like array: NDArray) -> NDArray { NDArray(abstract: .data, [], array.shape, array.count, array.type, isTraced: false) }

    /// In a run for shapes: the array of a shape, in the place of one that would be made or computed now; `nil` outside of such a run.
    package static func shapeAlone(_ shape: [Int], _ type: ElementType) throws -> NDArray? {
        guard let run = AbstractRun.current, run.isOfShapes else { return nil }
        return NDArray(abstract: .data, [], shape, try Shapes.count(shape), type, isTraced: false)
    }

    private init(abstract primitive: Primitive, _ inputs: [NDArray], _ shape: [Int], _ count: Int, _ type: ElementType, isTraced: Bool) {
        node = Node(
            primitive, inputs: Inputs(inputs), shape: shape, count: count, type: type, isTraced: isTraced, site: .current, layout: nil)
    }

    /// What an operation gives of operands of which one is abstract.
    /// - Throws: `ElementsUnknown` after too many operations.
    package static func abstractResult(_ primitive: Primitive, _ inputs: [NDArray], shape: [Int], type: ElementType) throws -> NDArray {
        let result = NDArray(abstract: primitive, inputs, shape, shape.reduce(1, &*), type, isTraced: inputs.contains(where: \.isTraced))
        guard let run = AbstractRun.current, run.counts(), !run.haveNumber(inputs) else { try result.refuseElements() }
        run.noteComputed(result, by: primitive)
        return result
    }

    /// An abstract array of rank 0 as a program sees it that no derivative follows: a number, in f64. It may be what the program comes to; nothing
    /// can be computed of it, for numbers adapt to the types of arrays, and some of their values are computed with otherwise.
    package func abstractNumber() throws -> NDArray {
        if type == .bool { try refuseElements() }
        let number = try type == .f64 ? self : converted(to: .f64)
        AbstractRun.current?.noteNumber(number)
        return number
    }

    /// The same elements, abstract, with another past.
    func abstractCopy(_ primitive: Primitive, _ inputs: [NDArray], isTraced: Bool) throws -> NDArray {
        let copy = NDArray(abstract: primitive, inputs, shape, count, type, isTraced: isTraced)
        guard let run = AbstractRun.current, run.counts() else { try refuseElements() }
        run.note(copy, of: self)
        return copy
    }

    /// The elements are asked for.
    func refuseElements() throws -> Never {
        AbstractRun.current?.spoil()
        throw ElementsUnknown()
    }
}
