// What runs of layers that the program defined: at hand for the built-ins that a block or a function of a layer calls. And the formats of other
// programs, which load and save layers.

import ActArray
import ActMachine
import ActNetwork

package final class RunningLayers: LayerWorkshop {
    /// The layer whose function runs.
    fileprivate var run: LayerRun?
    /// The element type of the layer whose block runs.
    fileprivate var type: ElementType?
    fileprivate var stateMarks = StateMarks()

    fileprivate let formats: ModelFormats

    package init(_ formats: ModelFormats) { self.formats = formats }

    package func maker(of block: Closure) -> NativeFunction { LayerMaker(block) }
    package func note(field name: String, _ value: Value) throws { try run?.note(name, value) }
}

extension Machine {
    /// Of an array that a block makes: that it is a state.
    package func markState(_ array: NDArray) throws { try running?.stateMarks.insert(array) }

    package var modelFormats: ModelFormats? { running?.formats }

    private var running: RunningLayers? { layers as? RunningLayers }

    package var layerRun: LayerRun? {
        get { running?.run }
        set { running?.run = newValue }
    }

    package var layerType: ElementType? {
        get { running?.type }
        set { running?.type = newValue }
    }

    var stateMarks: StateMarks {
        get { running?.stateMarks ?? StateMarks() }
        set { running?.stateMarks = newValue }
    }
}
