// What becomes of derivatives in a call: each parameter has a role.
//
// What must stay true: no derivative is silently 0. An argument whose parameter says nothing else is followed, and a test compares the
// derivative in every one of these with differences.

import ActArray
import ActGrad
import ActMachine
import ActRows
import CActKernels

extension Call {
    /// Runs the body, under a derivative with what its arguments are to that.
    @inline(__always)
    mutating func perform(_ form: Builtin.Form, _ context: UnsafeMutablePointer<act_context>) throws -> Value {
        try context.pointee.derivatives != 0 ? followed(form) : form.body(&self)
    }

    /// The result while a derivative is being taken.
    private mutating func followed(_ form: Builtin.Form) throws -> Value {
        var lost: [NDArray] = []
        for (index, role) in form.roles.enumerated() where role != .steps {
            let isOpaque = role == .opaque
            for value in index == form.variadic ? rest : [value(at: index)] {
                // Text that was made of numbers is opaque wherever it goes.
                if isOpaque { try value.gatherTraced(into: &lost) } else if case .string(let text) = value { lost += text.origins }
            }
        }
        let result = try form.body(&self)
        return try lost.isEmpty ? result : result.opaque(row.name, lost)
    }
}
