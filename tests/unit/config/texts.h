// Configuration texts that the tests share.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "common/config/load.h"

namespace holdfast::config {

inline const std::string kMinimal =
    "hostname: mx.example.test\n"
    "destinations:\n"
    "  office: {servers: [\"10.0.0.5:25\"]}\n"
    "domains:\n"
    "  example.test: {destination: office}\n";

inline Config good(const std::string& text) {
  auto config = load_text(text, "g.yaml");
  if (!config) {
    ADD_FAILURE() << config.error().text;
    return {};
  }
  return std::move(*config);
}

inline std::string faults_of(const std::string& text) {
  const auto config = load_text(text, "g.yaml");
  if (config) return "";
  EXPECT_EQ(config.error().kind, base::Kind::kConfig);
  return config.error().text;
}

}  // namespace holdfast::config
