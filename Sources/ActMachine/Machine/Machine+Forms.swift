// Formulas that lose digits: what the machine sees of their results. Digits that are lost raise no flag, so the compiler marks forms that can
// lose them (`.checkForm`), and their results, as they are, are looked at.

import ActArray
import ActCompiler
import ActSyntax

extension Machine {
    /// Below this a result that is a difference from 1 has lost half of its digits: the root of the distance between numbers at 1.
    static func lossLimit(_ type: ElementType) -> Double { type == .f32 ? 3.4e-4 : 1.5e-8 }
    /// Of larger arrays as many elements are looked at, evenly spread.
    private static let sampleCount = 4096

    /// An array whose elements are not there yet, to be looked at once they are, if anyone still has it then.
    struct PendingForm {
        weak var result: Node?
        weak var variable: Node?
        let check: FormCheck
        let site: SiteInCode
    }

    /// Looks whether the result of a form has lost digits. Values that a derivative traces are looked at when they are values.
    func checkForm(_ check: FormCheck, _ result: Value, _ registers: Registers, _ globals: Registers) throws {
        let site = currentSite
        guard warns, !warned.contains(WarnedPlaces.Key(site: site.id, code: .lostDigits)), let place = Engine.current.sites.find(site)
        else { return }
        let variable: Value =
            switch check.variable {
            case .register(let register): registers[register]
            case .global(let slot): globals[slot]
            case .number(let number): .number(number)
            case .gone: .none
            }
        let here = SiteInCode(code: place.code, instruction: place.instruction, site: site)
        switch result {
        case .number(let y):
            var isLost = y != 0 || check.form.loss == .nearZero
            if y == 0, case .number(let x) = variable { isLost = isLost || x != 0 }
            if isLost { try warn(.lostDigits(check, .number(y)), at: here) }
        case .array(let y) where !y.isTraced && y.type != .bool && y.count > 0:
            if y.isAbstract { return AbstractRun.current?.spoil() ?? () }
            var x: NDArray?
            if case .array(let array) = variable, array.shape == y.shape { x = array }
            if y.isEvaluated { return try look(check, here, y.node, x?.node) }
            if pendingForms.count < 100 {
                pendingForms.append(PendingForm(result: y.node, variable: x?.node, check: check, site: here))
            }
        default: break
        }
    }

    /// Looks at what has been computed since.
    func checkPendingForms() throws {
        if pendingForms.isEmpty { return }
        let pending = pendingForms
        pendingForms = []
        for form in pending {
            guard let result = form.result else { continue }
            guard result.layout != nil else {
                pendingForms.append(form)
                continue
            }
            try look(form.check, form.site, result, form.variable)
        }
    }

    private func look(_ check: FormCheck, _ site: SiteInCode, _ result: Node, _ variable: Node?) throws {
        guard let base = result.elements else { return }
        let inputs = variable?.type == result.type ? variable?.elements : nil
        let limit = Self.lossLimit(result.type)
        let step = max(1, result.count / Self.sampleCount)
        var count = 0
        var first: (position: Int, value: Double)?
        for position in stride(from: 0, to: result.count, by: step) {
            let y = Self.element(base, result.type, position)
            guard y.magnitude < limit else { continue }
            if y == 0, check.form.loss == .nearZeroButAtZero {
                guard let inputs, Self.element(inputs, result.type, position) != 0 else { continue }
            }
            count += 1
            if first == nil { first = (position, y) }
        }
        guard let first else { return }
        try warn(.lostDigits(check, .elements(count: step > 1 ? nil : count, position: first.position, value: first.value)), at: site)
    }

    private static func element(_ base: UnsafeRawPointer, _ type: ElementType, _ i: Int) -> Double {
        type == .f32 ? Double(base.load(fromByteOffset: i &* 4, as: Float.self)) : base.load(fromByteOffset: i &* 8, as: Double.self)
    }
}
