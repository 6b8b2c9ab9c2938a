// Which code an error has. The words for it are in the wording files.

import ActArray
import ActBuiltins
import ActFiles
import ActFormula
import ActGrad
import ActMachine
import ActNetwork
import ActONNX
import ActSource
import ActPlot
import ActSyntax

extension Diagnostic.Code {
    init(_ error: Error) {
        switch error {
        case let error as RuntimeError: self.init(error)
        case let error as ArrayError: self.init(error)
        case let error as DerivativeError: self.init(error)
        case is GraphError, is FormulaPart, is FormulaError, is ONNXExportError, is SourceExportError, MachineRefusal.noGraph: self = .noGraph
        case is ONNXError: self = .badFile
        case let error as ONNXNodeError where error.inner != nil: self.init(error.inner ?? error)
        case FigureError.unknownColor: self = .unknownColor
        case is FigureError: self = .badFigure
        case is FileError: self = .badFile
        case FileRefusal.badJSON(_, _, _, .some), FileRefusal.table, FileRefusal.notUTF8, NetworkError.file, NetworkError.checkpoint: self = .badFile
        case NetworkError.settingsDiffer: self = .structuresDiffer
        default: self = .cannot
        }
    }

    private init(_ error: RuntimeError) {
        self =
            switch error {
            case .unknownName: .unknownName
            case .localWithoutValue: .noValueYet
            case .capturedWithoutValue: .noValueCaptured
            case .noField: .noField
            case .operands, .leafOfStructure: .badOperands
            case .operand: .badOperand
            case .notCallable: .notCallable
            case .notIterable: .notIterable
            case .notDifferentiable: .notDifferentiable
            case .cannotIndex, .badKey: .notIndexable
            case .maskOfList: .badMask
            case .cannotChange: .unchangeable
            case .cannotStore: .notStorable
            case .cannotCompare: .notComparable
            case .notACondition: .notACondition
            case .unpackCount: .unpackCount
            case .structuresDiffer, .gradientMisfit: .structuresDiffer
            case .raggedRows: .raggedRows
            case .positionOutOfRange: .indexOutOfRange
            case .positionNotWhole: .indexNotWhole
            case .missingArgument: .missingArgument
            case .tooManyArguments: .tooManyArguments
            case .unknownArgument: .unknownArgument
            case .argumentTwice: .argumentTwice
            case .badArgument: .badArgument
            case .recursionTooDeep: .recursionTooDeep
            case .tooDeep, .tooManyLayers: .valueTooDeep
            case .timeLimit: .timeLimit
            case .forbidden: .forbidden
            case .user, .assertion: .raised
            case .exit: .exit
            }
    }

    private init(_ error: ArrayError) {
        self =
            switch error {
            case .shapesDoNotBroadcast, .shapesDoNotMultiply, .shapesDiffer, .cannotAssign: .shapesDiffer
            case .scalarOperand: .badOperand
            case .cannotReshape, .cannotBroadcast, .negativeSize, .notSquare, .rankMismatch: .badShape
            case .axisOutOfRange: .axisOutOfRange
            case .repeatedAxis: .repeatedAxis
            case .indexOutOfRange: .indexOutOfRange
            case .tooManyIndices: .tooManyIndices
            case .indexNotWhole: .indexNotWhole
            case .maskShape: .badMask
            case .stepIsZero, .badValue: .badArgument
            case .emptyReduction: .emptyReduction
            case .singular: .singularMatrix
            case .outOfMemory, .tooLarge, .textTooLong: .outOfMemory
            case .interrupted: .interrupted
            case .noGraph: .noGraph
            }
    }

    private init(_ error: DerivativeError) {
        self =
            switch error {
            case .notDifferentiable, .gradientOfArray, .independent, .notElementwise: .noDerivative
            case .notNumbers: .badPoint
            case .parameter, .parameterCount, .slopeShape: .badArgument
            }
    }
}

extension Diagnostic {
    /// The tables of a session did not fit into the memory limit.
    package static var cannotStart: Diagnostic {
        Diagnostic(
            .outOfMemory, "act cannot start: its own tables do not fit into the memory limit of \(Format.bytes(MemoryPool.limit))",
            help: "`--max-memory` sets the limit")
    }
}
