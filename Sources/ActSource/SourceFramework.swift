// Networks as source text of other frameworks: which ones there are.

/// What a network's source is written for.
package enum SourceFramework: String, CaseIterable, Sendable {
    case torch, jax, keras
}
