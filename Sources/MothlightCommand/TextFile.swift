import Foundation

/// A small text file that the command line or a configuration names.
enum TextFile {
  /// - Parameters:
  ///   - needed: what kind of file is wanted, for who gave one that is no text.
  ///   - place: what names the file, where that is not the command line; stands before the reason.
  /// - Throws: `Failure` with the reason: there is none, it is a folder, it may not be read, it is no text.
  static func read(_ path: String, _ needed: String, place: String = "") throws -> String {
    let what = place + path
    var status = stat()
    guard stat(path, &status) == 0 else {
      let isAbsent = errno == ENOENT || errno == ENOTDIR
      throw Failure("\(what): \(isAbsent ? "no such file" : String(cString: strerror(errno)))")
    }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw Failure("\(what): is a folder; \(needed)") }
    guard access(path, R_OK) == 0 else { throw Failure("\(what): no permission to read it") }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw Failure("\(what): is no text in UTF-8; \(needed)")
    }
    return text
  }
}
