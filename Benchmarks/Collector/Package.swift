// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "mothlight-collector-benchmark",
  dependencies: [.package(name: "mothlight", path: "../..")],
  targets: [
    .executableTarget(
      name: "collect",
      dependencies: [
        .product(name: "Mothlight", package: "mothlight"), .product(name: "MothlightStation", package: "mothlight"),
      ],
      swiftSettings: [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility")])
  ]
)
