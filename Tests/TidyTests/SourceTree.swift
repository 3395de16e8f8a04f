import Foundation

/// The project's own files as text, found from where this file stands.
struct SourceTree: CustomStringConvertible {
  struct File: Sendable, CustomStringConvertible {
    /// Below the project's folder, e.g. `Sources/Mothlight/Wire/DNS.swift`.
    var path: String
    var text: String

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    var stem: String { name.hasSuffix(".swift") ? String(name.dropLast(6)) : name }
    var folder: String { String(path.dropLast(name.count + 1)) }
    var description: String { path }
  }

  static let project = SourceTree(root: Self.folder(above: #filePath))

  let root: String
  var description: String { root }
  /// Every text file, in order of path.
  let files: [File]

  init(root: String) {
    self.root = root
    var found: [File] = []
    Self.collect("", root, into: &found)
    files = found.sorted { $0.path < $1.path }
  }

  /// Swift files below `folder`.
  func swift(below folder: String) -> [File] {
    files.filter { $0.path.hasPrefix(folder + "/") && $0.path.hasSuffix(".swift") }
  }

  /// Pages for people.
  var pages: [File] { files.filter { $0.path.hasSuffix(".md") } }

  func text(_ path: String) -> String? { files.first { $0.path == path }?.text }

  func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + "/" + path) }

  /// Folders directly below `folder`, by name.
  func folders(below folder: String) -> [String] {
    let names = files.compactMap { file -> String? in
      guard file.path.hasPrefix(folder + "/") else { return nil }
      let parts = file.path.dropFirst(folder.count + 1).split(separator: "/")
      return parts.count > 1 ? String(parts[0]) : nil
    }
    return Set(names).sorted()
  }

  /// Three steps up: Tests/TidyTests/<file>. Links are followed, so that the tests also run through one.
  private static func folder(above file: String) -> String {
    var url = URL(filePath: file).resolvingSymlinksInPath()
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url.path(percentEncoded: false).trimmedSlash
  }

  /// Built things, unpacked data and the demo are not the project's text.
  private static func collect(_ below: String, _ root: String, into found: inout [File]) {
    let folder = below.isEmpty ? root : root + "/" + below
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      let path = below.isEmpty ? name : below + "/" + name
      if name.hasPrefix("."), name != ".ci" { continue }
      if path == "demo" || name == "Package.resolved" { continue }
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: root + "/" + path, isDirectory: &isFolder) else { continue }
      if isFolder.boolValue {
        collect(path, root, into: &found)
      } else if let data = FileManager.default.contents(atPath: root + "/" + path), !data.contains(0),
        let text = String(validating: data, as: UTF8.self)
      {
        found.append(File(path: path, text: text))
      }
    }
  }
}

extension String {
  fileprivate var trimmedSlash: String { hasSuffix("/") && count > 1 ? String(dropLast()) : self }

  /// Lines without their ends; the last one may be empty.
  var lines: [Substring] { split(separator: "\n", omittingEmptySubsequences: false) }
}
