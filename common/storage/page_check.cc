#include "common/storage/page_check.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <unistd.h>

#include "common/base/file.h"

namespace holdfast::storage {
namespace {

using Page = std::vector<char>;
using Number = std::uint64_t;

constexpr std::size_t kPageHeader = 16, kNodeHeader = 8;
constexpr std::uint16_t kBranch = 1, kLeaf = 2, kOverflow = 4, kMetaPage = 8;
constexpr std::uint16_t kBig = 1, kSubtree = 2;  // of a leaf's node
constexpr Number kNone = ~Number{0};             // the root of an empty tree
constexpr std::uint32_t kMagic = 0xBEEFC0DE;
constexpr unsigned kViews = 100;                 // tries to see a meta page of the view's own transaction
constexpr std::size_t kMostFaults = 100;         // one flipped bit may be the cause of many

template <class T>
T at(std::string_view bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

struct Tree {
  static constexpr std::size_t kSize = 48;
  std::uint32_t pad;  // of the free list's tree: the size of a page
  std::uint16_t flags, depth;
  Number branches, leaves, overflows, entries, root;
};
static_assert(sizeof(Tree) == Tree::kSize);

struct Meta {
  std::uint32_t magic, version;
  std::uint64_t address, map_bytes;
  Tree free, main;
  Number last, transaction;
};

class PageCheck {
 public:
  PageCheck(int fd, std::size_t page_size, const std::function<void(std::string)>& fault)
      : fd_(fd), page_size_(page_size), fault_(fault) {}

  void run(const Meta& meta) {
    used_.assign(meta.last + 1, false);
    used_[0] = used_[1] = true;
    walk("the free list", meta.free, [this](std::string_view, std::string_view value) { note_free(value); });
    walk("the list of tables", meta.main, {});
    compare();
  }

 private:
  using Visit = std::function<void(std::string_view key, std::string_view value)>;

  void fail(std::string text) {
    if (++faults_ <= kMostFaults) fault_(std::move(text));
  }

  bool mark(Number number) {
    const bool there = number >= 2 && number < used_.size(), once = there && !used_[number];
    if (!once) fail(fmt::format("page {}: {}", number, there ? "it is used twice" : "the file has no such page"));
    if (once) used_[number] = true;
    return once;
  }

  // A page of a tree, for the first time; nothing if it is none.
  std::optional<Page> take(Number number) {
    if (!mark(number)) return std::nullopt;
    Page page(page_size_);
    const auto got = ::pread(fd_, page.data(), page.size(), static_cast<off_t>(number * page_size_));
    if (got != static_cast<ssize_t>(page.size())) {
      fail(fmt::format("page {}: it cannot be read", number));
      return std::nullopt;
    }
    if (const auto own = at<Number>({page.data(), page.size()}, 0); own != number) {
      fail(fmt::format("page {}: it has the number {}", number, own));
      return std::nullopt;
    }
    return page;
  }

  void walk(const std::string& name, const Tree& tree, const Visit& visit) {
    if (tree.root == kNone) return;
    Tree seen{};
    descend(name, tree.root, tree.depth, seen, visit);
    if (seen.branches != tree.branches || seen.leaves != tree.leaves || seen.overflows != tree.overflows ||
        seen.entries != tree.entries) {
      fail(fmt::format("{}: it counts {}+{}+{} pages and {} entries, there are {}+{}+{} and {}", name, tree.branches,
                       tree.leaves, tree.overflows, tree.entries, seen.branches, seen.leaves, seen.overflows,
                       seen.entries));
    }
  }

  void descend(const std::string& name, Number number, unsigned levels, Tree& seen, const Visit& visit) {
    const auto page = levels == 0 ? std::nullopt : take(number);
    if (!page) return;
    const std::string_view bytes(page->data(), page->size());
    const bool leaf = levels == 1;
    if (const auto flags = at<std::uint16_t>(bytes, 10); flags != (leaf ? kLeaf : kBranch)) {
      fail(fmt::format("page {}: it should be a {} of {}", number, leaf ? "leaf" : "branch", name));
      return;
    }
    (leaf ? seen.leaves : seen.branches) += 1;
    const auto nodes = nodes_of(number, bytes, leaf);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (leaf) {
        ++seen.entries;
        look_at(name, bytes, nodes[i], seen, visit);
      } else {
        descend(name, at<Number>(bytes, nodes[i]) & 0xFFFF'FFFF'FFFF, levels - 1, seen, visit);
      }
    }
  }

  // Where its nodes lie; none if they do not fill it exactly.
  std::vector<std::size_t> nodes_of(Number number, std::string_view bytes, bool leaf) {
    const std::size_t lower = at<std::uint16_t>(bytes, 12), upper = at<std::uint16_t>(bytes, 14);
    std::vector<std::size_t> out;
    std::size_t filled = 0;
    bool good = lower >= kPageHeader && lower % 2 == 0 && lower <= upper && upper <= bytes.size();
    std::vector<bool> taken(bytes.size(), false);
    for (std::size_t place = kPageHeader; good && place < lower; place += 2) {
      const std::size_t node = at<std::uint16_t>(bytes, place);
      good = node >= upper && node % 2 == 0 && node + kNodeHeader <= bytes.size();
      const std::size_t size = good ? node_size(bytes, node, leaf) : 0;
      good = good && node + size <= bytes.size();
      for (std::size_t i = node; good && i < node + size; ++i) {
        good = !taken[i];
        taken[i] = true;
      }
      filled += size;
      out.push_back(node);
    }
    if (good && filled == bytes.size() - upper) return out;
    fail(fmt::format("page {}: its nodes do not fill it", number));
    return {};
  }

  static std::size_t node_size(std::string_view bytes, std::size_t node, bool leaf) {
    const std::size_t key = at<std::uint16_t>(bytes, node + 6);
    std::size_t data = 0;
    if (leaf) {
      const bool big = (at<std::uint16_t>(bytes, node + 4) & kBig) != 0;
      data = big ? sizeof(Number) : at<std::uint32_t>(bytes, node);
    }
    return (kNodeHeader + key + data + 1) / 2 * 2;
  }

  void look_at(const std::string& name, std::string_view bytes, std::size_t node, Tree& seen, const Visit& visit) {
    const auto size = at<std::uint32_t>(bytes, node);
    const auto flags = at<std::uint16_t>(bytes, node + 4);
    const std::size_t key_size = at<std::uint16_t>(bytes, node + 6), data = node + kNodeHeader + key_size;
    const std::string_view key = bytes.substr(node + kNodeHeader, key_size);
    if (flags == kBig) {
      take_big(at<Number>(bytes, data), size, key, seen, visit);
    } else if (flags == kSubtree && size == Tree::kSize && name == "the list of tables") {
      walk("table " + std::string(key), at<Tree>(bytes, data), {});
    } else if (flags != 0) {
      fail(fmt::format("{}: an entry is of no kind that is used here", name));
    } else if (visit) {
      visit(key, bytes.substr(data, size));
    }
  }

  // The run of a large value says itself how many pages it has: it keeps them when the value becomes smaller.
  void take_big(Number number, std::size_t size, std::string_view key, Tree& seen, const Visit& visit) {
    const auto first = take(number);
    if (!first) return;
    const std::string_view head(first->data(), first->size());
    const std::size_t count = at<std::uint32_t>(head, 12), needed = (kPageHeader + size - 1) / page_size_ + 1;
    if (at<std::uint16_t>(head, 10) != kOverflow || count < needed || number + count > used_.size()) {
      fail(fmt::format("page {}: it should be the first of {} of one large value", number, needed));
      return;
    }
    seen.overflows += count;
    for (Number n = number + 1; n < number + count; ++n) mark(n);
    if (!visit) return;
    Page value(size);
    const auto begin = static_cast<off_t>(number * page_size_ + kPageHeader);
    if (::pread(fd_, value.data(), size, begin) == static_cast<ssize_t>(size)) visit(key, {value.data(), size});
  }

  // A transaction's freed pages: how many, and their numbers, the largest first.
  void note_free(std::string_view value) {
    const Number count = value.size() >= 8 ? at<Number>(value, 0) : 0;
    if (value.size() < 8 || count > value.size() / 8 - 1) {
      fail("the free list: an entry is shorter than it says");
      return;
    }
    for (Number i = 1; i <= count; ++i) {
      const Number number = at<Number>(value, i * 8);
      if (i > 1 && number >= at<Number>(value, i * 8 - 8)) fail("the free list: it is out of order");
      free_.push_back(number);
    }
  }

  void compare() {
    for (const Number number : free_) {
      if (number >= used_.size() || number < 2) {
        fail(fmt::format("page {}: it is free, but the file has no such page", number));
      } else if (used_[number]) {
        fail(fmt::format("page {}: it is free, and in use or free twice", number));
      } else {
        used_[number] = true;
      }
    }
    if (faults_ > 0) return;  // what could not be reached would be missed here again
    for (Number number = 2; number < used_.size(); ++number) {
      if (!used_[number]) fail(fmt::format("page {}: it is neither used nor free", number));
    }
  }

  const int fd_;
  const std::size_t page_size_;
  const std::function<void(std::string)>& fault_;
  std::vector<bool> used_;
  std::vector<Number> free_;
  std::size_t faults_ = 0;
};

// Both meta pages; nothing when the file is too short for them.
std::optional<std::array<Meta, 2>> read_metas(int fd, std::size_t page_size, bool& sound) {
  std::array<Meta, 2> out;
  Page page(page_size);
  sound = true;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (::pread(fd, page.data(), page.size(), static_cast<off_t>(i * page_size)) != static_cast<ssize_t>(page.size())) {
      return std::nullopt;
    }
    const std::string_view bytes(page.data(), page.size());
    out[i] = at<Meta>(bytes, kPageHeader);
    sound = sound && at<Number>(bytes, 0) == i && at<std::uint16_t>(bytes, 10) == kMetaPage && out[i].magic == kMagic &&
            out[i].version == 1 && out[i].free.pad == page_size;
  }
  // One is written by each transaction in turn, both by the first.
  const Number a = out[0].transaction, b = out[1].transaction;
  sound = sound && ((a == 0 && b == 0) || (a % 2 == 0 && b % 2 == 1 && (a + 1 == b || b + 1 == a)));
  return out;
}

}  // namespace

base::Status check_pages(Env& env, const std::function<void(std::string)>& fault) {
  const std::string path = env.folder() + "/data.mdb";
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return base::fail_errno("open " + path, errno);
  MDB_stat stat{};
  MDB_envinfo info{};
  mdb_env_stat(env.raw(), &stat);
  mdb_env_info(env.raw(), &info);
  ReadTxn txn(env);
  for (unsigned i = 0; i < kViews; ++i) {
    const ReadTxn::View view(txn);
    if (!view) return std::unexpected(view.error());
    const Number seen = mdb_txn_id(txn.raw());
    bool sound = false;
    const auto metas = read_metas(fd.get(), stat.ms_psize, sound);
    if (!metas) {
      fault("the file is too short");
      return {};
    }
    const Meta& meta = (*metas)[seen % 2];
    // Two commits came between, or one is just being written; or a meta page is damaged.
    const bool same = sound && meta.transaction == seen;
    if (!same && i + 1 < kViews) continue;
    if (!same) {
      fault("a meta page is damaged");
    } else if (meta.last >= info.me_mapsize / stat.ms_psize) {
      fault("it says that it is larger than it may be");
    } else {
      PageCheck(fd.get(), stat.ms_psize, fault).run(meta);
    }
    return {};
  }
  return {};
}

}  // namespace holdfast::storage
