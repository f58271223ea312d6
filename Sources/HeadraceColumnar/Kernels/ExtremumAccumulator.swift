/// The least or greatest of values that 64 bits hold: integers, short decimals, dates and times.
///
/// No generic class: its loops are specialised for each type, which those of a generic class called through a protocol are not.
final class WordExtremum: GroupAccumulator {
    let resultType: DataType
    private let isMaximum: Bool
    private var best = GroupStates<Int64>()
    private var seen = GroupStates<UInt8>()

    init(_ type: DataType, _ isMaximum: Bool) {
        resultType = type
        self.isMaximum = isMaximum
    }

    var byteSize: Int { best.byteSize + seen.byteSize }

    func update(_ values: ColumnVector, groups: UnsafePointer<Int32>?, groupCount: Int) {
        let column = Kernels.decoded(values)
        let view = column.unsafeView
        switch resultType.physical {
        case .int8: update(view, groups, groupCount, Int8.self)
        case .int16: update(view, groups, groupCount, Int16.self)
        case .int32: update(view, groups, groupCount, Int32.self)
        case .uint8: update(view, groups, groupCount, UInt8.self)
        case .uint16: update(view, groups, groupCount, UInt16.self)
        case .uint32: update(view, groups, groupCount, UInt32.self)
        default: update(view, groups, groupCount, Int64.self)
        }
        withExtendedLifetime(column) {}
    }

    @inline(__always)
    private func update<T: FixedWidthInteger & BitwiseCopyable>(
        _ view: UnsafeColumnView, _ groups: UnsafePointer<Int32>?, _ groupCount: Int, _: T.Type
    ) {
        let source = view.values(as: T.self)
        let best = best.grown(to: groupCount)
        let seen = seen.grown(to: groupCount)
        let isMaximum = isMaximum
        each(view, groups) { row, group in
            let value = Int64(truncatingIfNeeded: source[row])
            let before = best[group]
            let extreme = isMaximum ? max(before, value) : min(before, value)
            best[group] = seen[group] == 0 ? value : extreme
            seen[group] = 1
        }
    }

    func finish(groupCount: Int) -> KernelResult {
        let words = best.take(groupCount)
        let flags = seen.take(groupCount)
        let values =
            switch resultType.layout {
            case .fixed(width: 1): Extremum.narrowed(words, groupCount, UInt8.self)
            case .fixed(width: 2): Extremum.narrowed(words, groupCount, UInt16.self)
            case .fixed(width: 4): Extremum.narrowed(words, groupCount, UInt32.self)
            default: words
            }
        return Extremum.result(resultType, groupCount, values, flags)
    }
}

/// The least or greatest of values beyond 64 bits with sign: long decimals and `uint64`.
final class WideExtremum: GroupAccumulator {
    let resultType: DataType
    private let isMaximum: Bool
    private var best = GroupStates<Int128>()
    private var seen = GroupStates<UInt8>()

    init(_ type: DataType, _ isMaximum: Bool) {
        resultType = type
        self.isMaximum = isMaximum
    }

    var byteSize: Int { best.byteSize + seen.byteSize }

    func update(_ values: ColumnVector, groups: UnsafePointer<Int32>?, groupCount: Int) {
        let wide = NumericReader(values).wides(scale: NumericReader.scale(of: resultType) ?? 0)
        let source = wide.base.assumingMemoryBound(to: Int128.self)
        let best = best.grown(to: groupCount)
        let seen = seen.grown(to: groupCount)
        let isMaximum = isMaximum
        each(values.unsafeView, groups) { row, group in
            let value = source[row]
            if seen[group] == 0 || (isMaximum ? value > best[group] : value < best[group]) { best[group] = value }
            seen[group] = 1
        }
        withExtendedLifetime(wide) {}
    }

    func finish(groupCount: Int) -> KernelResult {
        let wides = best.take(groupCount)
        let flags = seen.take(groupCount)
        guard resultType == .uint64 else { return Extremum.result(resultType, groupCount, wides, flags) }
        let source = wides.base.assumingMemoryBound(to: Int128.self)
        let out = MutableBuffer(capacity: groupCount &* 8)
        let target = out.values(as: UInt64.self)
        for group in 0..<groupCount { target[group] = UInt64(truncatingIfNeeded: source[group]) }
        withExtendedLifetime(wides) {}
        return Extremum.result(resultType, groupCount, out.finish(byteCount: groupCount &* 8), flags)
    }
}

/// The least or greatest of floats; NaN is the greatest.
final class FloatExtremum: GroupAccumulator {
    let resultType: DataType
    private let isMaximum: Bool
    private var best = GroupStates<Double>()
    private var seen = GroupStates<UInt8>()

    init(_ type: DataType, _ isMaximum: Bool) {
        resultType = type
        self.isMaximum = isMaximum
    }

    var byteSize: Int { best.byteSize + seen.byteSize }

    func update(_ values: ColumnVector, groups: UnsafePointer<Int32>?, groupCount: Int) {
        let doubles = NumericReader(values).doubles()
        let source = doubles.base.assumingMemoryBound(to: Double.self)
        let best = best.grown(to: groupCount)
        let seen = seen.grown(to: groupCount)
        let isMaximum = isMaximum
        each(values.unsafeView, groups) { row, group in
            let value = source[row]
            let wins = isMaximum ? FloatOrder.less(best[group], value) : FloatOrder.less(value, best[group])
            if seen[group] == 0 || wins { best[group] = value }
            seen[group] = 1
        }
        withExtendedLifetime(doubles) {}
    }

    func finish(groupCount: Int) -> KernelResult {
        let doubles = best.take(groupCount)
        let flags = seen.take(groupCount)
        guard resultType == .float32 else { return Extremum.result(resultType, groupCount, doubles, flags) }
        let source = doubles.base.assumingMemoryBound(to: Double.self)
        let out = MutableBuffer(capacity: groupCount &* 4)
        let target = out.values(as: Float.self)
        for group in 0..<groupCount { target[group] = Float(source[group]) }
        withExtendedLifetime(doubles) {}
        return Extremum.result(resultType, groupCount, out.finish(byteCount: groupCount &* 4), flags)
    }
}

/// Whether any boolean is true (the greatest), or all are (the least).
final class BooleanExtremum: GroupAccumulator {
    let resultType = DataType.bool
    private let isMaximum: Bool
    /// 0 for no value yet, 1 for only what does not decide, 2 for one that does.
    private var states = GroupStates<UInt8>()

    init(isMaximum: Bool) { self.isMaximum = isMaximum }

    var byteSize: Int { states.byteSize }

    func update(_ values: ColumnVector, groups: UnsafePointer<Int32>?, groupCount: Int) {
        let column = Kernels.decoded(values)
        let view = column.unsafeView
        let states = states.grown(to: groupCount)
        let isMaximum = isMaximum
        each(view, groups) { row, group in
            states[group] = max(states[group], view.bool(row) == isMaximum ? 2 : 1)
        }
        withExtendedLifetime(column) {}
    }

    func finish(groupCount: Int) -> KernelResult {
        let buffer = states.take(groupCount)
        let states = buffer.base.assumingMemoryBound(to: UInt8.self)
        let isMaximum = isMaximum
        let values = Bitmap.build(groupCount) { (states[$0] == 2) == isMaximum }
        let bits = Bitmap.build(groupCount) { states[$0] != 0 }
        withExtendedLifetime(buffer) {}
        return KernelResult(
            column: ColumnVector(type: .bool, count: groupCount, validity: bits, values: values), failures: [])
    }
}

/// The least or greatest of texts by their bytes.
final class TextExtremum: GroupAccumulator {
    let resultType: DataType
    private let isMaximum: Bool
    private var best = GroupStates<Place>()
    private var text = MutableBuffer(capacity: 4096)
    private var used = 0
    /// Bytes of values that were beaten since.
    private var wasted = 0

    /// Where a group's best value lies; `count` is one more than its bytes, 0 for no value yet.
    private struct Place {
        var start: Int
        var count: Int
    }

    init(_ type: DataType, _ isMaximum: Bool) {
        resultType = type
        self.isMaximum = isMaximum
    }

    var byteSize: Int { best.byteSize + text.capacity }

    func update(_ values: ColumnVector, groups: UnsafePointer<Int32>?, groupCount: Int) {
        let view = values.unsafeView
        let entries = (values.dictionary ?? values).unsafeView
        let isEncoded = values.dictionary != nil
        let best = best.grown(to: groupCount)
        each(view, groups) { row, group in
            let entry = isEncoded ? view.key(row) : row
            let start = Int(entries.textOffset(entry))
            let base = entries.textBase + start
            let count = Int(entries.textOffset(entry &+ 1)) &- start
            let place = best[group]
            if place.count > 0 {
                let order = TextOrder.compare(base, count, text.base + place.start, place.count &- 1)
                if isMaximum ? order <= 0 : order >= 0 { return }
            }
            best[group] = store(base, count, over: place)
        }
        if wasted > 1 << 16 && wasted &* 2 > used { compact(best, groupCount) }
    }

    /// Puts a value where the beaten one lay, or behind all others when it is longer.
    private func store(_ base: UnsafeRawPointer, _ count: Int, over place: Place) -> Place {
        if place.count > count {
            (text.base + place.start).copyMemory(from: base, byteCount: count)
            wasted &+= place.count &- 1 &- count
            return Place(start: place.start, count: count &+ 1)
        }
        if place.count > 0 { wasted &+= place.count &- 1 }
        text.reserve(used &+ count, keeping: used)
        (text.base + used).copyMemory(from: base, byteCount: count)
        used &+= count
        return Place(start: used &- count, count: count &+ 1)
    }

    private func compact(_ best: UnsafeMutablePointer<Place>, _ groupCount: Int) {
        var packed = MutableBuffer(capacity: max(used &- wasted, 4096))
        var at = 0
        for group in 0..<groupCount where best[group].count > 0 {
            let bytes = best[group].count &- 1
            (packed.base + at).copyMemory(from: text.base + best[group].start, byteCount: bytes)
            best[group].start = at
            at &+= bytes
        }
        swap(&text, &packed)
        used = at
        wasted = 0
    }

    func finish(groupCount: Int) -> KernelResult {
        let places = best.take(groupCount)
        let best = places.base.assumingMemoryBound(to: Place.self)
        var writer = TextWriter(rows: groupCount, bytes: used)
        for group in 0..<groupCount {
            if best[group].count > 0 {
                writer.append(text.base + best[group].start, count: best[group].count &- 1)
            } else {
                writer.commit(0)
            }
        }
        let bits = Bitmap.build(groupCount) { best[$0].count > 0 }
        let nulls = groupCount &- Bitmap.countSet(bits.base, offset: 0, count: groupCount)
        withExtendedLifetime(places) {}
        text = MutableBuffer(capacity: 4096)
        used = 0
        wasted = 0
        return KernelResult(column: writer.finish(resultType, Validity(buffer: bits, nullCount: nulls)), failures: [])
    }
}

private enum Extremum {
    /// The low bytes of 64-bit values.
    static func narrowed<T: FixedWidthInteger & BitwiseCopyable>(_ words: Buffer, _ count: Int, _: T.Type) -> Buffer {
        let source = words.base.assumingMemoryBound(to: Int64.self)
        let out = MutableBuffer(capacity: count &* MemoryLayout<T>.stride)
        let target = out.values(as: T.self)
        for group in 0..<count { target[group] = T(truncatingIfNeeded: source[group]) }
        withExtendedLifetime(words) {}
        return out.finish(byteCount: count &* MemoryLayout<T>.stride)
    }

    static func result(_ type: DataType, _ count: Int, _ values: Buffer, _ seen: Buffer) -> KernelResult {
        let flags = seen.base.assumingMemoryBound(to: UInt8.self)
        let bits = Bitmap.build(count) { flags[$0] != 0 }
        withExtendedLifetime(seen) {}
        return KernelResult(
            column: ColumnVector(type: type, count: count, validity: bits, values: values), failures: [])
    }
}
