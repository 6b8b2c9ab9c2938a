// What the cases of `NetworkError` carry, as data.

import ActRows

/// What a layer takes, where it got something else.
package enum InputNeed: Equatable, Sendable {
    // By shape; sizes that any number fits are `nil`
    /// Arrays that end in this shape; of one size, rows of so many columns.
    case ending([Int])
    /// Rows of so many columns, or (rows, features, …).
    case features(Int)
    /// (rows, channels, …)
    case channels(Int?)
    /// So many channels, wherever they are.
    case channelCount(Int)
    /// (rows, time, size)
    case sequences(Int)
    /// (rows, channels, …) with so many axes to go along.
    case windowed(axes: Int, channels: Int?)
    /// Room for a window of these sizes, or an element in each window besides.
    case room([Int], everyWindow: Bool)
    /// A result of one pixel at least.
    case pixelLeft(axes: Int)
    case oneStep
    case steps(most: Int)
    case severalRows
    case batch

    // By what is in it, or in the layer
    case wholes(below: Int, found: Double)
    case oneArray(found: Int)
    case sameShape([Int], [Int])
    case axisOfResults(Int, rank: Int)
    case axisBesideRows
    case fittingParts([[Int]])
}

/// Why a setting of a layer, a loss, an optimiser or of training is of no use.
package enum SettingFault: Equatable, Sendable {
    case mustBe(Expectation)
    /// The name of a function in quotes.
    case functionNotText(String)
    case noPart
    /// It must divide another setting.
    case divisor(of: String, Int)
    case lessThan(String, Int)
    case positiveWhole

    // Optimisers
    case positiveWithNesterov
    /// A learning rate at a moment of training.
    case rate(Double, epoch: Double)

    // Rows and classes
    case oneEachRow(Int, found: [Int])
    case rowWeights
    case oneEachClass(Int)
    /// Labels to leave out, where labels are rows of weights.
    case leftOutWithShares
    /// Every label would be left out.
    case everyLabel
}

/// How a value differs from the parameters that it should be.
package enum ParametersFault: Equatable, Sendable {
    /// `kind` is what was given, with an article.
    case notARecord(kind: String)
    /// Of a network they are as many records as it has layers.
    case notLayers(count: Int)
    case missingPart(String, layer: String)
    case notAnArray(String, layer: String, kind: String)
    case missing(String, layer: String)
    case unknown(String, layer: String)
    case notAList(String, layer: String, count: Int, kind: String)
    case fieldNotARecord(String, layer: String, kind: String)
    case otherStructure(String, layer: String, kind: String)
    /// A setting, which stays as it was made.
    case setting(String, layer: String)
    /// A part of a layer that would be frozen, or thawed, by putting another in its place.
    case frozenPart(String, layer: String, isFrozen: Bool)
}

/// The data of a training.
package enum TrainingData: Equatable, Sendable { case x, y, validationX, validationY }

/// What is wrong with a file of arrays that may hold a network.
package enum NetworkFileFault: Equatable, Sendable {
    // The .safetensors format
    /// It has too few bytes for one.
    case shortFile(bytes: Int)
    case isNotSafetensors
    case headerCut
    case headerNotJSON
    case arrayTwice(String)
    case metadataNotTexts(field: String?)
    case metadataTwice(String)
    case undescribed(String)
    case arrayCut(String)
    case unknownType(String, of: String)
    case wrongSize(of: String, shape: [Int], bytes: Int)
    case overlapping(String)
    case bytesBefore(String, Int)
    case bytesAtEnd(Int)

    // What act writes into it
    case unreadableLayers
    case unreadableStructure
    case missingArray(String)
    /// A layer that the program itself defines.
    case unknownMaker(String)
    case unknownKind(String)
    case unknownFunction(String)
}

/// How the arrays of a file differ from the parameters of a network.
package enum CheckpointFault: Equatable, Sendable {
    case extra(String)
    case missing(String)
    case shape(String, there: [Int], here: [Int])
    /// Of a file with PyTorch's names everything at once.
    case stateDictionary([StateMisfit])
}
