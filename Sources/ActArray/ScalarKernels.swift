// The kernels of this machine, and the same kernels on single numbers: a number gives the bits that an array of it would.

import CActKernels

package enum Kernels {
    /// The table for this processor: the one door to it. `unsafe`: a constant of the C library, which nobody writes to.
    package nonisolated(unsafe) static let table: UnsafePointer<act_kernel_table> = act_kernels()
}

package enum Scalar {
    // `unsafe`: constants of the C library, as the table is.
    private nonisolated(unsafe) static let unaryKernels = Kernels.table.pointee.unary_scalar
    private nonisolated(unsafe) static let binaryKernels = Kernels.table.pointee.binary_scalar

    package typealias UnaryKernel = @convention(c) (Double) -> Double
    package typealias BinaryKernel = @convention(c) (Double, Double) -> Double

    /// The kernels by themselves, for who calls one again and again.
    package static func kernel(_ op: UnaryOperation) -> UnaryKernel { unaryKernels[Int(op.rawValue)] }
    package static func kernel(_ op: BinaryOperation) -> BinaryKernel { binaryKernels[Int(op.rawValue)] }

    /// `op` of one number.
    @inline(__always)
    package static func unary(_ op: UnaryOperation, _ x: Double) -> Double { unaryKernels[Int(op.rawValue)](x) }

    /// `op` of two numbers.
    @inline(__always)
    package static func binary(_ op: BinaryOperation, _ a: Double, _ b: Double) -> Double { binaryKernels[Int(op.rawValue)](a, b) }

    /// A number rounded to so many decimals, as `NDArray.rounded` has it.
    package static func rounded(_ x: Double, decimals: Int) -> Double {
        let power = powerOfTen(decimals)
        if decimals < 0 { return unary(.round, x / power) * power }
        // A number that the power would make infinite has no decimals.
        return x.magnitude < 0x1p1023 / power ? unary(.round, x * power) / power : x
    }

    static func powerOfTen(_ decimals: Int) -> Double { binary(.pow, 10, Double(decimals.magnitude)) }
}
