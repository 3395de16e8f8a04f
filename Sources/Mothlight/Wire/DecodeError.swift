/// A layer that could not be decoded. It ends that layer only: the outer ones stand.
public enum DecodeError: Error, Sendable, Equatable {
  /// Fewer bytes than the format needs.
  case truncated
  /// Bytes that contradict the format.
  case malformed
  /// A version or option this decoder does not know.
  case unsupported
}
