// swift-tools-version: 6.2
import PackageDescription

// One question, asked once: a recvmmsg loop or NIO's vectored reads? The answer is in ../README.md; the product has no NIO.
let package = Package(
  name: "ReceiveLoops",
  dependencies: [.package(url: "https://github.com/apple/swift-nio", exact: "2.101.2")],
  targets: [
    .target(name: "CBatch"),
    .executableTarget(
      name: "ReceiveLoops",
      dependencies: [
        "CBatch", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ]),
  ]
)
