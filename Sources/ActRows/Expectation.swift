// What an argument, a setting or an option must be, as data: rows declare it, checks throw it, and ActLanguage words it after "must be".

package indirect enum Expectation: Equatable, Sendable {
    /// What the kind of the parameter says.
    case kind(Parameter.Kind)
    case within(Bounds)
    /// One of these words.
    case words([String])

    // Numbers
    case wholeFrom(Int)
    case atMost(Double)
    /// More than another argument.
    case moreThan(String)
    /// Two finite numbers, the smaller one first.
    case ascendingPair
    case twoNumbers
    case pixels
    case bools
    /// At most so many where that is given.
    case wholes(most: Int?)
    case wholesOrNone
    case probabilities

    // For each axis
    /// One for all axes, or a list of as many as there are; `nil` where that is not known.
    case each(Expectation, axes: Int?)
    case wholeOrOneEach
    case differentAxes
    case padWidths
    /// The padding of windows that go along so many axes.
    case windowPadding(axes: Int?)
    case scoresAlongAxis

    // Texts
    case character
    case mark
    case nonEmptyText
    case textOrTexts
    case textsOrNumbers
    case columns

    // Values
    case array
    case list
    case record
    case figure
    case pair
    case wholeOrSequence
    case container
    case sequence
    case arrayElements
    case textLike(String)
    case numberLike(String)
    /// A number, an array, or something made of them.
    case structure
    case positions

    // Functions and networks
    case functionOrName
    case activation
    case expression
    case metric
    case part
    case parts
    case model
    case parameters
    case optimizer
}
