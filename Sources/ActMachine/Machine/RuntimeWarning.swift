// What is worth a warning although the program goes on, as data; the host says it in words.
//
// What must stay true: of one place one code warns once.

import ActArray
import ActCompiler
import ActFiles
import ActPlot
import ActSyntax

package enum RuntimeWarning {
    /// Elements of an array became infinite or NaN.
    case numbers(NumericEvent)
    /// A number became infinite or NaN.
    case number(NumericEvent.Kind, operation: String, result: Double, inputs: [Double])
    case lostDigits(FormCheck, LostDigits)
    case stretchedBothSides(String, [Int], [Int])
    case transposeOfVector
    /// Probabilities go where a loss takes scores.
    case softmaxOfScores(loss: String)
    /// Names and data of a table look alike.
    case doubtfulHeader(Csv.Doubt, path: String)
    /// A picture cannot show some characters.
    case missingGlyphs(Fonts.Gap)
    /// A plain function in a network holds a layer of its own, which is not trained.
    case hiddenLayer(String, in: String)
    /// A derivative in a parameter is not what differences say.
    case gradientDiffers(String, [Int], exact: Double, estimate: Double)

    package var code: Diagnostic.Code {
        switch self {
        case .numbers(let event): event.kind.code
        case .number(let kind, _, _, _): kind.code
        case .lostDigits: .lostDigits
        case .stretchedBothSides: .stretchedBothSides
        case .transposeOfVector: .transposeOfVector
        case .softmaxOfScores: .softmaxOfScores
        case .doubtfulHeader: .doubtfulHeader
        case .missingGlyphs: .missingGlyphs
        case .hiddenLayer: .hiddenLayer
        case .gradientDiffers: .gradientDiffers
        }
    }
}

/// How a result has lost digits.
package enum LostDigits {
    case number(Double)
    /// - Parameter count: `nil` if not all elements were looked at.
    case elements(count: Int?, position: Int, value: Double)
}

/// A place that keeps its code alive.
package struct SiteInCode {
    package let code: Code
    package let instruction: Int
    let site: Site
}

/// What has been warned of.
struct WarnedPlaces {
    struct Key: Hashable {
        let site: UInt32
        let code: Diagnostic.Code
        var subject = 0
    }

    private var keys: Set<Key> = []
    /// At so many, those of code that has gone are taken out.
    private var most = 1000

    func contains(_ key: Key) -> Bool { keys.contains(key) }

    /// Whether it is new.
    mutating func insert(_ key: Key) -> Bool {
        guard keys.insert(key).inserted else { return false }
        if keys.count > most {
            keys = keys.filter { Engine.current.sites.find(Site(id: $0.site)) != nil }
            most = max(1000, keys.count * 2)
        }
        return true
    }
}

extension NumericEvent.Kind {
    package var code: Diagnostic.Code {
        switch self {
        case .overflow: .overflow
        case .divideByZero: .divisionByZero
        case .invalid: .invalidOperation
        }
    }
}
