// How the machine comes to the layers that programs define with `layer`. It runs their blocks and functions; what a layer is, networks know.

package protocol LayerWorkshop: AnyObject {
    /// The function that `layer NAME(PARAMETERS) { … }` defines.
    /// - Parameter block: Takes the parameters and runs the block. Its value is a function without parameters: that of the block's last expression,
    ///   which gives the function that the layer is, and has captured all that the block made.
    func maker(of block: Closure) -> NativeFunction
    /// The function of a layer has assigned `value` to the name of a field.
    func note(field name: String, _ value: Value) throws
}
