// Networks that were made differently: where arithmetic takes their parameters together, what one of them says would be lost.

import ActArray

/// The first setting in which two networks differ.
package struct SettingDifference: Equatable, Sendable {
    /// The layer, by its positions in the networks around it, from the outermost on.
    package private(set) var place: [Int] = []
    /// `nil` where the layers are of other kinds.
    package let name: String?
    package let first, second: String

    fileprivate func inside(_ position: Int) -> SettingDifference {
        var result = self
        result.place.insert(position, at: 0)
        return result
    }
}

extension Network {
    /// The first setting in which another network differs. Networks of other lengths are not compared: their parameters differ too.
    package func difference(from other: Network) throws -> SettingDifference? {
        guard layers.count == other.layers.count else { return nil }
        for (position, pair) in zip(layers, other.layers).enumerated() {
            if let found = try pair.0.difference(from: pair.1) { return found.inside(position) }
        }
        return nil
    }
}

extension Layer {
    /// The first setting in which another layer differs. Whether they are frozen does not count, nor how they began.
    package func difference(from other: any Layer) throws -> SettingDifference? {
        let one = bare, other = other.bare
        if let origin = one.origin, origin === other.origin { return nil }
        let settings = one.settings, others = other.settings
        guard settings.kind == others.kind else { return SettingDifference(name: nil, first: one.text, second: other.text) }
        return try settings.difference(from: others)
    }
}

extension LayerSettings {
    fileprivate func difference(from other: LayerSettings) throws -> SettingDifference? {
        for (index, parameter) in parameters.enumerated() where !parameter.isOfStart && index < other.values.count {
            switch (values[index], other.values[index]) {
            case (nil, nil): continue
            case (let mine?, let theirs?):
                guard let found = try mine.difference(from: theirs, named: parameter.name) else { continue }
                return found
            // One of them has its default, which may be another parameter.
            default:
                let mine = self.text(at: index), theirs = other.text(at: index)
                if mine != theirs { return SettingDifference(name: parameter.name, first: mine, second: theirs) }
            }
        }
        return nil
    }
}

extension Setting {
    fileprivate func difference(from other: Setting, named name: String) throws -> SettingDifference? {
        switch (self, other) {
        case (.network(let mine), .network(let theirs)) where mine.layers.count == theirs.layers.count: return try mine.difference(from: theirs)
        case (.layer(let mine), .layer(let theirs)): return try mine.difference(from: theirs)
        case (.list(let mine), .list(let theirs)) where mine.count == theirs.count:
            for (mine, theirs) in zip(mine, theirs) { if let found = try mine.difference(from: theirs, named: name) { return found } }
            return nil
        case (.record(let mine), .record(let theirs)) where mine.map(\.name) == theirs.map(\.name):
            for (mine, theirs) in zip(mine, theirs) {
                if let found = try mine.value.difference(from: theirs.value, named: "\(name).\(mine.name)") { return found }
            }
            return nil
        default: return try equals(other) ? nil : SettingDifference(name: name, first: text, second: other.text)
        }
    }

    private func equals(_ other: Setting) throws -> Bool {
        switch (self, other) {
        case (.none, .none): true
        case (.number(let mine), .number(let theirs)): mine == theirs || mine.isNaN && theirs.isNaN
        case (.text(let mine), .text(let theirs)): mine == theirs
        case (.flag(let mine), .flag(let theirs)): mine == theirs
        case (.function(let mine), .function(let theirs)): mine.object != nil && mine.object === theirs.object || mine.name == theirs.name
        case (.array(let mine, _), .array(let theirs, _)):
            try mine.identity == theirs.identity || mine.shape == theirs.shape && mine.toDoubles() == theirs.toDoubles()
        case (.other(let mine), .other(let theirs)): mine == theirs
        default: false
        }
    }
}
