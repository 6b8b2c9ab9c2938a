/// What can go wrong with networks, as data: the wording is ActLanguage's.
package enum NetworkError: Error, Equatable {
    /// A layer got an array that it cannot take. `position` counts layers from 0; `shape` is `nil` where it is not the shape that is wrong.
    case input(layer: String, position: Int?, needs: InputNeed, shape: [Int]?)
    /// Something is wrong in a part of a layer that is made of networks, or in a part of that part: the outermost name comes last, `of` is the
    /// outermost layer.
    indirect case inPart([String], of: String?, position: Int?, NetworkError)
    /// A layer that takes an array gets something else; `before` is the layer that gives it, `nil` for what goes into the network.
    case notAnArray(layer: String, position: Int?, before: String?, found: String)
    /// An array is wanted of a network, and its last layer gives something else.
    case endsInNoArray(layer: String, found: String)
    /// Two layers that are to follow each other do not fit: the first gives rows of `outputs`, the last takes rows of `inputs`.
    case widths(first: String, last: String, outputs: Int, inputs: Int)
    /// A setting of a layer, optimiser or loss is of no use.
    case setting(owner: String, name: String, SettingFault)
    /// A parameter would change its shape.
    case parameterShape(layer: String, name: String, expected: [Int], found: [Int])
    /// Other parameters than the network has.
    case parameters(ParametersFault)
    /// The parameters of networks that were made differently are taken together.
    case settingsDiffer(SettingDifference)
    /// A loss got predictions and targets of different shapes.
    case lossShapes(loss: String, prediction: [Int], target: [Int])
    /// Labels that do not go with rows of scores.
    case labelShapes(loss: String, scores: [Int], labels: [Int])
    /// A label is not one of 0 ..< classes; `nil` stands for -1 and 1.
    case label(loss: String, label: Double, row: Int, classes: Int?)
    /// A probability or a target that should be one lies outside 0 to 1; `position` counts elements.
    case outside(loss: String, what: Share, value: Double, position: Int)
    /// A prediction that should be the number of a class is not whole.
    case notAClass(metric: String, prediction: Double, position: Int)
    /// A loss gave an array where a number is needed.
    case lossNotNumber(shape: [Int])

    // Training
    case lengths(inputs: Int, targets: Int)
    case noRows
    case notFinite(what: TrainingData, row: Int)
    /// The loss became infinite or NaN; `layer` is the first one whose output shows it, `nil` when the loss itself is the first.
    case divergence(loss: Double, epoch: Int, batch: Int, layer: String?)
    /// A step made a parameter infinite or NaN although the loss was finite; `layer` is the first one.
    case brokenParameter(name: String, layer: String, epoch: Int)
    case noParameters
    /// Every parameter is frozen.
    case allFrozen
    /// A state of bools came out differently in the parts of a batch, and has no mean.
    case partsDisagree

    // Files
    case unsavable(layer: String, position: Int)
    /// A layer of the program's own was made with something that no file holds: `found` says of what kind it is.
    case unsavableSetting(layer: String, position: Int, name: String, found: String)
    case file(path: String, NetworkFileFault)
    /// A file with the parameters of another network; `makers` are the kinds of the layers that the program made itself.
    case checkpoint(path: String, CheckpointFault, makers: [String])

    /// What should lie between 0 and 1.
    package enum Share: Sendable { case probability, target }
}

extension NetworkError {
    /// Of a part of a layer.
    /// - Parameter isAlone: Whether the part has one layer, whose position says nothing.
    func inPart(_ name: String, isAlone: Bool) -> NetworkError {
        switch self {
        case .inPart(let names, _, _, let error): .inPart(names + [name], of: nil, position: nil, error)
        case .input(let layer, _, let needs, let shape) where isAlone:
            .inPart([name], of: nil, position: nil, .input(layer: layer, position: nil, needs: needs, shape: shape))
        default: .inPart([name], of: nil, position: nil, self)
        }
    }

    /// Of the layer at a position of a network, unless it already says where.
    package func at(_ position: Int, _ layer: any Layer, isOutermost: Bool) -> NetworkError {
        switch self {
        case .input(let layer, nil, let needs, let shape): .input(layer: layer, position: position, needs: needs, shape: shape)
        case .inPart(let names, nil, nil, let error) where isOutermost: .inPart(names, of: layer.text, position: position, error)
        default: self
        }
    }
}
