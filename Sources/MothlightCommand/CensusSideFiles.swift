import Foundation
import Mothlight

/// The small files beside a census: its secret, and what is known of networks' ways.
enum CensusSideFiles {
  /// - Throws: `Failure` when the file is no secret, or others may read it.
  static func keys(_ path: String) throws -> TagKeys {
    let advice = "make one: (umask 077; head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \\n' > \(path))"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw Failure("\(path): cannot be read; \(advice)")
    }
    let mode = (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int ?? 0
    guard mode & 0o077 == 0 else {
      throw Failure("\(path): others may read the secret; chmod 600 \(path), or make a new one if they did")
    }
    let digits = text.filter { !$0.isWhitespace }
    guard digits.count == 2 * TagKeys.secretOctets, digits.allSatisfy(\.isHexDigit) else {
      throw Failure("\(path): a secret is 32 hexadecimal digits; \(advice)")
    }
    var octets: [UInt8] = []
    var rest = digits[...]
    while let octet = UInt8(rest.prefix(2), radix: 16) {
      octets.append(octet)
      rest = rest.dropFirst(2)
    }
    do throws(SketchError) { return try TagKeys(secret: octets) } catch { throw Failure("\(path): \(error)") }
  }

  static func churn(_ path: String) throws -> ChurnTable {
    let text = try TextFile.read(path, "--learn-churn writes such a file")
    return try configured { () throws(ConfigurationError) in try ChurnTable(csv: text, name: path) }
  }

  /// Adds what a botnet teaches to a file, or makes it.
  static func learn(
    _ rollup: CensusRollup, window: ClosedRange<UInt32>?, _ rules: CensusRules, into path: String
  ) throws {
    var table = FileManager.default.fileExists(atPath: path) ? try churn(path) : ChurnTable()
    let learned: ChurnTable
    do throws(ChurnLearner.Refusal) {
      learned = try ChurnLearner.table(rollup, window: window, rules: rules)
    } catch {
      switch error {
      case .noIdentities:
        throw Failure("--learn-churn: \(rollup.botnet) carries no identities that last; another botnet must teach")
      case .sampled:
        throw Failure("--learn-churn: \(rollup.botnet) was sampled; learn from its table, or from a shorter window")
      }
    }
    try configured { () throws(ConfigurationError) in try table.add(learned) }
    do { try table.csv.write(toFile: path, atomically: true, encoding: .utf8) } catch {
      throw Failure("\(path): cannot write: \(error.localizedDescription)")
    }
  }
}
