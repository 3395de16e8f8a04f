/// Network-order loads. Callers check lengths once; a wrong offset traps inside the span instead of reading past it.
extension RawSpan {
  @inline(__always) func u8(_ offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
  @inline(__always) func u16(_ offset: Int) -> UInt16 {
    unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self).bigEndian
  }
  @inline(__always) func u32(_ offset: Int) -> UInt32 {
    unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self).bigEndian
  }
  @inline(__always) func u64(_ offset: Int) -> UInt64 {
    unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
  }
  @inline(__always) func little16(_ offset: Int) -> UInt16 {
    unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self).littleEndian
  }
  @inline(__always) func little32(_ offset: Int) -> UInt32 {
    unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self).littleEndian
  }
}
