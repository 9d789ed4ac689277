// Lists of many entries, and greylisting that remembers millions.
#include <filesystem>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/policy/lists.h"
#include "common/storage/greylist.h"

namespace holdfast {
namespace {

using policy::ListKind;

void add(policy::Lists& lists, ListKind kind, const std::string& text, std::uint32_t line) {
  if (auto entry = policy::parse_entry(kind, text)) lists.add(kind, false, std::move(*entry), {.file = 0, .line = line});
}

policy::Lists make_lists(std::uint32_t count) {
  policy::Lists lists;
  lists.add_file("many");
  for (std::uint32_t i = 0; i < count; i += 5) {
    add(lists, ListKind::kClient, fmt::format("10.{}.{}.0/24", i / 256 % 256, i % 256), i);
    add(lists, ListKind::kClient, fmt::format("host{}.example.org", i), i + 1);
    add(lists, ListKind::kSender, fmt::format("user{}@example.org", i), i + 2);
    add(lists, ListKind::kSender, fmt::format(".d{}.example", i), i + 3);
    add(lists, ListKind::kHelo, fmt::format("helo{}", i), i + 4);
  }
  return lists;
}

void lists_made(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(make_lists(static_cast<std::uint32_t>(state.range(0))).size());
}
BENCHMARK(lists_made)->Arg(50'000)->Unit(benchmark::kMillisecond);

// A client, a name, a sender and a recipient that no list has: all are asked.
void lists_judge(benchmark::State& state) {
  const auto lists = make_lists(static_cast<std::uint32_t>(state.range(0)));
  const policy::Visit visit{.client = *base::IpAddress::parse("192.0.2.1"), .name = "mail.sender.example", .helo = "mail.sender.example",
                            .sender = "ann@sender.example", .recipient = "bob@example.test", .recipient_key = "bob@example.test"};
  for (auto _ : state) benchmark::DoNotOptimize(lists.judge(visit));
}
BENCHMARK(lists_judge)->Arg(500)->Arg(50'000);

class Filled {
 public:
  Filled() {
    std::string pattern = (std::filesystem::current_path() / "greylist-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) folder = pattern;
    list = std::move(*storage::Greylist::open(folder));
  }
  ~Filled() {
    list.reset();
    std::filesystem::remove_all(folder);
  }
  std::string key(std::uint64_t i) const { return list->triplet_key(network, fmt::format("user{}@sender.example", i), "bob@example.test"); }
  void fill(std::uint64_t from, std::uint64_t to, std::uint64_t most) {
    for (std::uint64_t i = from; i < to;) {
      auto txn = storage::WriteTxn::begin(list->env());
      for (const std::uint64_t end = std::min(to, i + 1000); i < end; ++i) {
        const auto now = static_cast<std::uint32_t>(1'800'000'000 + i / 100);
        const storage::GreyRow row{.kind = storage::GreyRow::Kind::kWaiting, .network = network, .first_s = now, .end_s = now + 172'800};
        (void)list->put(**txn, key(i), row, now, most);
      }
      (void)(*txn)->commit();
    }
  }
  std::uint64_t disk() const {
    struct stat info {};
    ::stat((storage::Greylist::folder(folder) + "/data.mdb").c_str(), &info);
    return static_cast<std::uint64_t>(info.st_blocks) * 512;
  }

  const base::Network network = storage::grey_network(*base::IpAddress::parse("192.0.2.1"));
  std::string folder;
  std::unique_ptr<storage::Greylist> list;
};

// In batches of 1,000, each committed; in the folder it is run in. Then 100,000 more when it is full, and reads.
void greylist_filled(benchmark::State& state) {
  const auto count = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    Filled filled;
    const auto clock = [] { return std::chrono::steady_clock::now(); };
    const auto seconds = [](auto from, auto to) { return std::chrono::duration<double>(to - from).count(); };
    const auto begin = clock();
    filled.fill(0, count, count);
    const auto full = clock();
    filled.fill(count, count + 100'000, count);
    const auto over = clock();
    storage::ReadTxn txn(filled.list->env());
    for (std::uint64_t i = 0; i < 100'000; ++i) {
      const storage::ReadTxn::View view(txn);
      benchmark::DoNotOptimize(filled.list->find(txn, filled.key(i * 7919 % count)));
    }
    const auto read = clock();
    state.counters["rows_per_s"] = static_cast<double>(count) / seconds(begin, full);
    state.counters["full_rows_per_s"] = 100'000 / seconds(full, over);
    state.counters["read_us"] = seconds(over, read) * 10;
    state.counters["bytes_per_row"] = static_cast<double>(filled.disk()) / static_cast<double>(count);
    const storage::ReadTxn::View view(txn);
    state.counters["rows"] = static_cast<double>(filled.list->entries(txn));
  }
}
BENCHMARK(greylist_filled)->Arg(1'000'000)->Arg(10'000'000)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace holdfast
