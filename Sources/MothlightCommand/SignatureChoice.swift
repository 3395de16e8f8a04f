import Foundation
import Mothlight

/// Signature files that an operator names, read and checked.
enum SignatureChoice {
  /// Larger than any file that the library would take.
  private static let octets = 2 << 20

  static func load(_ paths: [String]) throws -> [SignatureFile] {
    try paths.map { path in
      guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.read(upToCount: octets) else {
        throw Failure("\(path): cannot be read; give a signature file")
      }
      return try configured { () throws(ConfigurationError) in try SignatureFile(bytes: Array(data), path: path) }
    }
  }

  static func builtin() throws -> SignatureFile {
    try configured { () throws(ConfigurationError) in try SignatureFile.readBuiltin() }
  }

  /// What the decoders recognise from now on.
  static func use(_ paths: [String]) throws {
    let files = try load(paths)
    let all = try configured { () throws(ConfigurationError) in try SignatureFile.merged(files) }
    guard PayloadRules.use(all) else { throw Failure("--signatures: traffic was read already") }
  }
}
