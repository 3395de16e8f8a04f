import CLinux
import Glibc
import Mothlight

@testable import MothlightStation

/// Runs classic BPF as the kernel does: what a frame is worth, 0 for one that is not wanted.
enum FilterMachine {
  static func run(_ program: [clinux_instruction], _ frame: [UInt8], protocol type: UInt16 = 0) -> UInt32 {
    var a: UInt32 = 0
    var x: UInt32 = 0
    var at = 0
    func load(_ from: UInt32, _ count: Int) -> UInt32? {
      guard Int(from) + count <= frame.count else { return nil }
      return frame[Int(from)..<Int(from) + count].reduce(0) { $0 << 8 | UInt32($1) }
    }
    for _ in 0...program.count {
      guard at < program.count else { return 0 }
      let i = program[at]
      at += 1
      let (yes, no) = (Int(i.if_true), Int(i.if_false))
      switch i.code {
      case 0x28 where i.constant == 0xffff_f000: a = UInt32(type)
      case 0x20, 0x28, 0x30:
        guard let value = load(i.constant, i.code == 0x20 ? 4 : i.code == 0x28 ? 2 : 1) else { return 0 }
        a = value
      case 0x48:
        guard let value = load(x &+ i.constant, 2) else { return 0 }
        a = value
      case 0x80: a = UInt32(frame.count)
      case 0xb1:
        guard let value = load(i.constant, 1) else { return 0 }
        x = (value & 15) * 4
      case 0x54: a &= i.constant
      case 0x05: at += Int(i.constant)
      case 0x15: at += a == i.constant ? yes : no
      case 0x25: at += a > i.constant ? yes : no
      case 0x35: at += a >= i.constant ? yes : no
      case 0x45: at += a & i.constant != 0 ? yes : no
      case 0x06: return i.constant
      default: return .max
      }
    }
    return 0
  }
}

/// libpcap, where it is installed: the judge of what a filter means.
struct Libpcap {
  private typealias OpenDead = @convention(c) (Int32, Int32) -> OpaquePointer?
  private typealias Compile =
    @convention(c) (OpaquePointer, UnsafeMutableRawPointer, UnsafePointer<CChar>, Int32, UInt32) -> Int32
  private typealias Filter = @convention(c) (UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer) -> Int32

  private let dead: OpaquePointer
  private let compile: Compile
  private let filter: Filter

  init?() {
    guard let library = dlopen("libpcap.so.0.8", RTLD_NOW) ?? dlopen("libpcap.so.1", RTLD_NOW),
      let open = dlsym(library, "pcap_open_dead"), let compile = dlsym(library, "pcap_compile"),
      let filter = dlsym(library, "pcap_offline_filter"),
      let dead = unsafeBitCast(open, to: OpenDead.self)(1, 262_144)
    else { return nil }
    self.dead = dead
    self.compile = unsafeBitCast(compile, to: Compile.self)
    self.filter = unsafeBitCast(filter, to: Filter.self)
  }

  static let isThere = Libpcap() != nil

  /// `struct bpf_program` for a text; `nil` when libpcap refuses it.
  func program(_ text: String) -> UnsafeMutableRawPointer? {
    let program = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 8)
    program.initializeMemory(as: UInt8.self, repeating: 0, count: 16)
    return compile(dead, program, text, 1, .max) == 0 ? program : nil
  }

  func takes(_ frame: [UInt8], _ program: UnsafeMutableRawPointer) -> Bool {
    // struct pcap_pkthdr: a time of 16 octets, octets captured, octets of the frame.
    var head = [UInt8](repeating: 0, count: 24)
    head.withUnsafeMutableBytes {
      $0.storeBytes(of: UInt32(frame.count), toByteOffset: 16, as: UInt32.self)
      $0.storeBytes(of: UInt32(frame.count), toByteOffset: 20, as: UInt32.self)
    }
    return filter(program, head, frame) != 0
  }
}

/// Frames made octet by octet.
enum Frames {
  static func be16(_ v: Int) -> [UInt8] { [UInt8(truncatingIfNeeded: v >> 8), UInt8(truncatingIfNeeded: v)] }
  static func be32(_ v: Int) -> [UInt8] { be16(v >> 16) + be16(v & 0xffff) }

  static func ethernet(_ payload: [UInt8], type: Int = 0x0800) -> [UInt8] {
    [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] + be16(type) + payload
  }

  static func v4(
    _ payload: [UInt8], _ source: UInt32, _ destination: UInt32, transport: UInt8, options: Int = 0, fragment: Int = 0,
    id: Int = 7
  ) -> [UInt8] {
    let head = 20 + options * 4
    return [0x40 | UInt8(head / 4), 0] + be16(head + payload.count) + be16(id) + be16(fragment)
      + [64, transport, 0, 0] + be32(Int(source)) + be32(Int(destination))
      + [UInt8](repeating: 1, count: options * 4) + payload
  }

  static func v6(_ payload: [UInt8], _ source: [UInt8], _ destination: [UInt8], next: UInt8) -> [UInt8] {
    [0x60, 0, 0, 0] + be16(payload.count) + [next, 64] + source + destination + payload
  }

  static func tcp(_ source: Int, _ destination: Int, flags: UInt8, _ sequence: Int, _ payload: [UInt8] = []) -> [UInt8]
  {
    be16(source) + be16(destination) + be32(sequence) + be32(0) + [0x50, flags, 0xff, 0xff, 0, 0, 0, 0] + payload
  }

  static func udp(_ source: Int, _ destination: Int, _ payload: [UInt8] = []) -> [UInt8] {
    be16(source) + be16(destination) + be16(8 + payload.count) + [0, 0] + payload
  }
}

/// A generator with a fixed start, so that a failure comes again.
struct FixedLottery: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}
