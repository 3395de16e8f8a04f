import CLinux
import Mothlight

/// Classic BPF for a filter (McCanne and Jacobson, USENIX Winter 1993).
///
/// Written from its end to its beginning, so that every jump goes to an instruction that is there already.
struct FilterProgram {
  /// What a frame begins with.
  enum Base: Sendable {
    case ethernet
    /// The IP header; the kernel knows the protocol.
    case network
    /// Something that filters are not written for.
    case other
  }

  /// As many as the kernel takes (BPF_MAXINSNS).
  static let instructionsMost = 4096

  private enum Code {
    static let loadWord: UInt16 = 0x20
    static let loadHalf: UInt16 = 0x28
    static let loadByte: UInt16 = 0x30
    static let loadHalfIndirect: UInt16 = 0x48
    static let loadLength: UInt16 = 0x80
    static let loadHeaderLength: UInt16 = 0xb1
    static let and: UInt16 = 0x54
    static let jump: UInt16 = 0x05
    static let ifEqual: UInt16 = 0x15
    static let ifAbove: UInt16 = 0x25
    static let ifAtLeast: UInt16 = 0x35
    static let ifAnyBit: UInt16 = 0x45
    static let finish: UInt16 = 0x06
  }

  /// Last instruction first.
  private var reversed: [clinux_instruction] = []
  private let base: Base
  private var network: UInt32 { base == .ethernet ? 14 : 0 }

  /// Instructions in the order in which they run; `nil` when they are too many, or frames of that kind cannot be filtered.
  /// - Parameter snapOctets: octets kept of a frame that is wanted.
  static func compile(_ filter: CaptureFilter?, base: Base, snapOctets: UInt32) -> [clinux_instruction]? {
    var program = FilterProgram(base: base)
    guard let filter else {
      program.put(Code.finish, snapOctets)
      return program.reversed
    }
    guard base != .other else { return nil }
    program.put(Code.finish, 0)
    program.put(Code.finish, snapOctets)
    _ = program.write(filter.root, 1, 0)
    guard program.reversed.count <= instructionsMost else { return nil }
    return program.reversed.reversed()
  }

  private init(base: Base) { self.base = base }

  private mutating func put(_ code: UInt16, _ constant: UInt32, _ ifTrue: Int = 0, _ ifFalse: Int = 0) {
    reversed.append(
      clinux_instruction(
        code: code, if_true: UInt8(truncatingIfNeeded: ifTrue), if_false: UInt8(truncatingIfNeeded: ifFalse),
        constant: constant))
  }

  /// Writes the code of a node in front of what is there. Places are counted from the end.
  /// - Returns: where it begins.
  private mutating func write(_ node: CaptureFilter.Node, _ yes: Int, _ no: Int) -> Int {
    switch node {
    case .not(let inside): return write(inside, no, yes)
    case .and(let a, let b): return write(a, write(b, yes, no), no)
    case .or(let a, let b): return write(a, yes, write(b, yes, no))
    case .test(let test): return write(test, yes, no)
    }
  }

  /// A condition on what was loaded; a jump beyond its eight bits goes by a longer one.
  private mutating func branch(_ code: UInt16, _ constant: UInt32, _ yes: Int, _ no: Int) {
    var targets = [yes, no]
    // The other's long jump may lie between.
    for i in 0..<2 where reversed.count + 1 - targets[i] > 250 {
      put(Code.jump, UInt32(reversed.count - targets[i] - 1))
      targets[i] = reversed.count - 1
    }
    put(code, constant, reversed.count - targets[0] - 1, reversed.count - targets[1] - 1)
  }

  private mutating func write(_ test: CaptureFilter.Test, _ yes: Int, _ no: Int) -> Int {
    switch test {
    case .network(let type): return writeNetwork(type, yes, no)
    case .transport(let number, let family): return writeTransport(number, family, yes, no)
    case .address(let prefix, let direction): return writeAddress(prefix, direction, yes, no)
    case .ports(let range, let direction, let transports, let family):
      var other = no
      if family != .v4 { other = writePorts6(range, direction, transports, yes, no) }
      if family != .v6 { other = writePorts4(range, direction, transports, yes, no, other) }
      return other
    case .lengthAtMost(let length):
      branch(Code.ifAbove, length, no, yes)
      put(Code.loadLength, 0)
    case .lengthAtLeast(let length):
      branch(Code.ifAtLeast, length, yes, no)
      put(Code.loadLength, 0)
    }
    return reversed.count - 1
  }

  private mutating func writeNetwork(_ type: UInt16, _ yes: Int, _ no: Int) -> Int {
    branch(Code.ifEqual, UInt32(type), yes, no)
    // SKF_AD_OFF + SKF_AD_PROTOCOL of linux/filter.h: what the kernel has found.
    put(Code.loadHalf, base == .ethernet ? 12 : 0xffff_f000)
    return reversed.count - 1
  }

  private mutating func writeTransport(
    _ number: UInt8, _ family: CaptureFilter.Family?, _ yes: Int, _ no: Int
  ) -> Int {
    var other = no
    if family != .v4 {
      // Directly, or behind a fragment header (RFC 8200 section 4.5).
      branch(Code.ifEqual, UInt32(number), yes, no)
      put(Code.loadByte, network + 40)
      branch(Code.ifEqual, 44, reversed.count - 1, no)
      branch(Code.ifEqual, UInt32(number), yes, reversed.count - 1)
      put(Code.loadByte, network + 6)
      other = writeNetwork(0x86dd, reversed.count - 1, no)
    }
    if family != .v6 {
      branch(Code.ifEqual, UInt32(number), yes, no)
      put(Code.loadByte, network + 9)
      other = writeNetwork(0x0800, reversed.count - 1, other)
    }
    return other
  }

  private mutating func writeAddress(
    _ prefix: Prefix, _ direction: CaptureFilter.Direction, _ yes: Int, _ no: Int
  ) -> Int {
    let isV4 = prefix.address.isV4
    let source = network + (isV4 ? 12 : 8)
    let destination = network + (isV4 ? 16 : 24)
    let inner: Int
    switch direction {
    case .source: inner = writeWords(prefix, at: source, yes, no)
    case .destination: inner = writeWords(prefix, at: destination, yes, no)
    case .either: inner = writeWords(prefix, at: source, yes, writeWords(prefix, at: destination, yes, no))
    case .both: inner = writeWords(prefix, at: source, writeWords(prefix, at: destination, yes, no), no)
    }
    return writeNetwork(isV4 ? 0x0800 : 0x86dd, inner, no)
  }

  private mutating func writeWords(_ prefix: Prefix, at offset: UInt32, _ yes: Int, _ no: Int) -> Int {
    let (words, bits) = Self.words(prefix)
    var next = yes
    for i in words.indices.reversed() {
      let significant = max(0, min(32, bits - i * 32))
      guard significant > 0 else { continue }
      let mask = UInt32.max << UInt32(32 - significant)
      branch(Code.ifEqual, words[i] & mask, next, no)
      if mask != .max { put(Code.and, mask) }
      put(Code.loadWord, offset + UInt32(i) * 4)
      next = reversed.count - 1
    }
    return next
  }

  /// The address in words of the wire, and how many of its bits count there.
  private static func words(_ prefix: Prefix) -> ([UInt32], Int) {
    let address = prefix.address
    let low = UInt32(truncatingIfNeeded: address.low)
    if address.isV4 { return ([low], prefix.length) }
    return (
      [
        UInt32(truncatingIfNeeded: address.high >> 32), UInt32(truncatingIfNeeded: address.high),
        UInt32(truncatingIfNeeded: address.low >> 32), low,
      ], prefix.length
    )
  }

  /// Ports stand behind a header of variable length, and in first fragments only.
  /// - Parameter other: where a frame that is no IPv4 goes.
  private mutating func writePorts4(
    _ range: ClosedRange<UInt16>, _ direction: CaptureFilter.Direction, _ transports: [UInt8], _ yes: Int, _ no: Int,
    _ other: Int
  ) -> Int {
    _ = writePortPair(range, direction, Code.loadHalfIndirect, network, yes, no)
    put(Code.loadHeaderLength, network)
    branch(Code.ifAnyBit, 0x1fff, no, reversed.count - 1)
    put(Code.loadHalf, network + 6)
    let inner = writeTransports(transports, at: network + 9, reversed.count - 1, no)
    return writeNetwork(0x0800, inner, other)
  }

  private mutating func writePorts6(
    _ range: ClosedRange<UInt16>, _ direction: CaptureFilter.Direction, _ transports: [UInt8], _ yes: Int, _ no: Int
  ) -> Int {
    let ports = writePortPair(range, direction, Code.loadHalf, network + 40, yes, no)
    let inner = writeTransports(transports, at: network + 6, ports, no)
    return writeNetwork(0x86dd, inner, no)
  }

  private mutating func writeTransports(_ transports: [UInt8], at offset: UInt32, _ yes: Int, _ no: Int) -> Int {
    var other = no
    for number in transports {
      branch(Code.ifEqual, UInt32(number), yes, other)
      other = reversed.count - 1
    }
    put(Code.loadByte, offset)
    return reversed.count - 1
  }

  private mutating func writePortPair(
    _ range: ClosedRange<UInt16>, _ direction: CaptureFilter.Direction, _ load: UInt16, _ at: UInt32, _ yes: Int,
    _ no: Int
  ) -> Int {
    switch direction {
    case .source: return writePort(range, load, at, yes, no)
    case .destination: return writePort(range, load, at + 2, yes, no)
    case .either: return writePort(range, load, at, yes, writePort(range, load, at + 2, yes, no))
    case .both: return writePort(range, load, at, writePort(range, load, at + 2, yes, no), no)
    }
  }

  private mutating func writePort(
    _ range: ClosedRange<UInt16>, _ load: UInt16, _ at: UInt32, _ yes: Int, _ no: Int
  ) -> Int {
    if range.count == 1 {
      branch(Code.ifEqual, UInt32(range.lowerBound), yes, no)
    } else {
      branch(Code.ifAbove, UInt32(range.upperBound), no, yes)
      branch(Code.ifAtLeast, UInt32(range.lowerBound), reversed.count - 1, no)
    }
    put(load, at)
    return reversed.count - 1
  }
}
