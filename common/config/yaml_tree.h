// YAML as a tree of our own, each node with its file and line: what the loader walks. yaml-cpp stays behind
// this header. Anchors, aliases, tags and more than one document are refused; a key given twice in one map
// is an error that names both lines.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/config/faults.h"

namespace holdfast::config {

struct Node;

struct Entry;

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Place place;
  std::string text;           // of a scalar
  bool quoted = false;        // "yes" in quotes is a text, not a truth
  std::vector<Node> items;    // of a list
  std::vector<Entry> entries; // of a map, in order
};

struct Entry {
  std::string key;
  Place place;
  Node value;
};

// An empty text is an empty map. Faults go to `faults`; what could be read is returned all the same.
Node parse_yaml(const std::string& text, const std::string& file, Faults& faults);

}  // namespace holdfast::config
