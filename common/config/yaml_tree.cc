#include "common/config/yaml_tree.h"

#include <map>
#include <sstream>

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace holdfast::config {
namespace {

constexpr std::size_t kDeepest = 16;  // our own shapes need five

// yaml-cpp tells the events of one document; they grow the tree from the root downwards.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& file, Faults& faults) : file_(file), faults_(faults) {}

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    place(make(Node::Kind::kNull, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    faults_.error(at(mark), "aliases (*name) are not supported; write the value out");
    place(make(Node::Kind::kNull, mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    Node node = make(Node::Kind::kScalar, mark);
    node.text = value;
    node.quoted = tag == "!";
    place(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node node;
    bool has_key = false;
    bool drop = false;  // the value of a key that is a fault already
    Entry entry{};
    std::map<std::string, int> lines{};  // of the keys there were
  };

  Place at(const YAML::Mark& mark) const { return {file_, mark.line + 1}; }

  Node make(Node::Kind kind, const YAML::Mark& mark) const {
    Node node;
    node.kind = kind;
    node.place = at(mark);
    return node;
  }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) faults_.error(at(mark), "anchors (&name) are not supported; write the value out");
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") faults_.error(at(mark), fmt::format("the tag {} is not supported", tag));
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (levels_.size() >= kDeepest) throw YAML::ParserException(mark, "too many levels");
    levels_.push_back({make(kind, mark)});
  }

  void close() {
    Node done = std::move(levels_.back().node);
    levels_.pop_back();
    place(std::move(done));
  }

  void place(Node node) {
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == Node::Kind::kList) {
      level.node.items.push_back(std::move(node));
    } else if (!level.has_key) {
      take_key(level, node);
    } else {
      level.has_key = false;
      level.entry.value = std::move(node);
      // yaml-cpp sees nothing only at the next thing.
      if (level.entry.value.kind == Node::Kind::kNull) level.entry.value.place = level.entry.place;
      if (!level.drop) level.node.entries.push_back(std::move(level.entry));
    }
  }

  void take_key(Level& level, const Node& node) {
    level.has_key = true;
    level.drop = node.kind != Node::Kind::kScalar;
    level.entry = {node.text, node.place, {}};
    if (level.drop) {
      faults_.error(node.place, "a setting's name must be a plain text");
      return;
    }
    const auto [before, fresh] = level.lines.emplace(node.text, node.place.line);
    if (fresh) return;
    level.drop = true;
    faults_.error(node.place, fmt::format("'{}' was given before, in line {}", node.text, before->second));
  }

  const std::string& file_;
  Faults& faults_;
  std::vector<Level> levels_;
  Node root_;
};

}  // namespace

Node parse_yaml(const std::string& text, const std::string& file, Faults& faults) {
  Builder builder(file, faults);
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    if (parser.HandleNextDocument(builder)) {
      Builder second(file, faults);
      if (parser.HandleNextDocument(second)) faults.error({file, 0}, "holds more than one YAML document");
    }
  } catch (const YAML::Exception& e) {
    faults.error({file, e.mark.line + 1}, fmt::format("not YAML: {}", e.msg));
  }
  Node root = builder.take();
  if (root.kind == Node::Kind::kNull) {
    root.kind = Node::Kind::kMap;
    root.place = {file, 0};
  }
  return root;
}

}  // namespace holdfast::config
