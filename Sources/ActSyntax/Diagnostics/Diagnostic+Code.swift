// What there is to say: one case for each kind of fault and warning, in whatever words it is said.
//
// What must stay true: two things that can be wrong at one place have two codes, for a warning is given once a place and code. A case keeps
// its name: tools choose by it, and the snapshots in Tests/Diagnostics are filed by it.

extension Diagnostic {
    package enum Code: String, CaseIterable, Hashable, Sendable {
        // MARK: Sources
        case invalidUTF8, sourceTooLarge, unreadableFile

        // MARK: Brackets
        case unclosedBracket, mismatchedBracket, unmatchedBracket, nestedTooDeeply

        // MARK: Numbers
        case badExponent, numberTooLarge, badBinaryNumber, prefixWithoutDigits, groupedDigits, tooManyBits, misplacedSeparator, numberBeforeName

        // MARK: Strings
        case unclosedString, unclosedInterpolation, badInterpolation, badFormat, unknownEscape, badCharacterNumber, singleQuotes, stringPrefix

        // MARK: Values and operators
        case missingValue, missingOperator, missingComma, missingCloser, unexpectedToken, textEndsEarly, statementInExpression, badStatementStart
        case looseNot, looseFunctionLiteral, missingParameters, detachedPrime, strayPrime, increment, bareList, emptyIndex, colonRange
        case powerOfFunction, callOfNumber, spreadArgument, matmulWithoutLeft, leadingDot

        // MARK: Assignment
        case badTarget, unnamedTarget, updateOfSeveral, chainedAssignment, assignmentInBrackets, assignmentInCondition, missingEquals, unsetWithoutName

        // MARK: Names given twice or in the wrong order
        case repeatedName, positionalAfterNamed, missingDefault, badParameter, variadicParameter, typedParameter, badKey, keywordAsKey, missingColon
        case recordWithEquals, missingField, keywordAsField

        // MARK: Blocks and loops
        case colonBlock, missingBlock, braceOnNewLine, elseOnNewLine, strayElse, forWithoutIn, loopVariablesInParentheses, inOutsideFor
        case valueBeforeIf, valueBeforeFor, nestedComprehension, returnOutsideFunction, jumpOutsideLoop
        case semicolonInBrackets, semicolonRows
        case layerWithoutFunction

        // MARK: Other languages
        case foreignSymbol, foreignWord, foreignComment, decorator, meaninglessCharacter

        // MARK: Names that do not mean what they should
        case longName, notOwnVariable, functionTooLarge, unknownName, noValueYet, noValueCaptured, noField, unknownArgument, missingArgument, tooManyArguments
        case argumentTwice, badArgument

        // MARK: Values of the wrong kind
        case badOperands, badOperand, notCallable, notIterable, notDifferentiable, notIndexable, unchangeable, notStorable, notComparable, notACondition
        case unpackCount, structuresDiffer, raggedRows

        // MARK: Indices and shapes
        case indexOutOfRange, indexNotWhole, tooManyIndices, badMask, axisOutOfRange, repeatedAxis, shapesDiffer, badShape, emptyReduction, singularMatrix

        // MARK: Derivatives, networks, figures, files
        case noDerivative, badPoint, noGraph, badFigure, unknownColor, badFile

        // MARK: Limits and ends
        case recursionTooDeep, valueTooDeep, outOfMemory, timeLimit, forbidden, interrupted, exit
        /// The program's own `error`.
        case raised
        /// A built-in cannot do what it was asked, for a reason that its words give.
        case cannot

        // MARK: Warnings
        case overflow, divisionByZero, invalidOperation, lostDigits, stretchedBothSides, transposeOfVector, softmaxOfScores, doubtfulHeader, missingGlyphs,
            hiddenLayer, gradientDiffers, lostValue, unusedAssignment

        // MARK: The command line
        /// A folder that the sandbox is to allow cannot be opened.
        case badFolder
        /// Several processes cannot begin a program together, or one of them is gone.
        case ranks
        /// The system does not enforce all of the sandbox (a warning).
        case weakSandbox

        // MARK: The session
        /// A command of the session cannot do what it was asked.
        case command
        /// The session's history cannot be read or written (a warning).
        case history

        // MARK: Notes
        case explanation, moreFaults

        /// What it is unless warnings are errors.
        package var level: Level {
            switch self {
            case .overflow, .divisionByZero, .invalidOperation, .lostDigits, .stretchedBothSides, .transposeOfVector, .softmaxOfScores, .doubtfulHeader,
                .missingGlyphs, .hiddenLayer, .gradientDiffers, .lostValue, .unusedAssignment, .weakSandbox, .history:
                .warning
            case .explanation, .moreFaults: .note
            default: .error
            }
        }
    }
}
