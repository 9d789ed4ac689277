// Keeping a message, and what is asked of the directory at each RCPT.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include "bench/micro/mail.h"
#include "common/base/codec.h"
#include "common/base/siphash.h"
#include "common/storage/directory.h"
#include "common/storage/record.h"

namespace holdfast {
namespace {

constexpr base::HashKey kKey{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

mail::Envelope envelope() {
  return {.sender = "sender@client.example.test",
          .recipients = {{.address = "recipient@example.test"}},
          .destination = "office",
          .arrival_ms = 1'790'000'000'000,
          .client_address = "192.0.2.10",
          .client_port = 40000,
          .client_name = "client.example.test",
          .helo = "client.example.test",
          .protocol = "ESMTP",
          .message_id = "<20261122100000.12345@client.example.test>"};
}

void siphash(benchmark::State& state) {
  const std::string content = bench::content(static_cast<std::size_t>(state.range(0)), bench::Body::kText);
  for (auto _ : state) benchmark::DoNotOptimize(base::siphash(kKey, content));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(content.size()));
}
BENCHMARK(siphash)->Arg(64)->Arg(4096)->Arg(65536);

void record_head(benchmark::State& state) {
  const auto mail = envelope();
  const storage::RecordHeader header{.id = {1}, .generation = 1, .content_length = 4096, .content_sum = 1, .offset = 4096};
  for (auto _ : state) benchmark::DoNotOptimize(storage::encode_record_head(kKey, header, mail));
}
BENCHMARK(record_head);

void envelope_decode(benchmark::State& state) {
  const std::string bytes = base::encode(envelope());
  for (auto _ : state) benchmark::DoNotOptimize(base::decode<mail::Envelope>(bytes));
}
BENCHMARK(envelope_decode);

// A directory with so many learnt recipients, in a folder that goes with it.
class Folder {
 public:
  explicit Folder(int recipients) {
    std::string name = (std::filesystem::temp_directory_path() / "hf-micro-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    auto directory = *storage::Directory::open(path_);
    auto txn = *storage::WriteTxn::begin(directory->env());
    storage::DestinationRow row;
    row.confirmed_ms = now();
    row.servers = {{.server = "10.0.0.5:25", .addresses = {"10.0.0.5:25"}}};
    (void)directory->put_destination(*txn, "office", row);
    (void)directory->put_domain(*txn, "example.test", {.destination = "office", .catch_all = storage::CatchAll::kNo});
    for (int i = 0; i < recipients; ++i) {
      const storage::RecipientRow learnt{.destination = "office", .verified_ms = now(), .learnt_ms = now()};
      (void)directory->put_recipient(*txn, address(i), learnt, 1'000'000);
    }
    (void)txn->commit();
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  static std::string address(int i) { return fmt::format("user{}@example.test", i); }
  static std::int64_t now() { return base::to_millis(base::wall_now()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void directory_standing(benchmark::State& state) {
  const auto recipients = static_cast<int>(state.range(0));
  const Folder folder(recipients);
  storage::DirectoryReader reader(folder.path());
  const auto now_ms = Folder::now();
  int i = 0;
  for (auto _ : state) {
    i = (i + 7919) % recipients;
    const auto standing = reader.standing(Folder::address(i), "example.test", "office", now_ms, {});
    if (standing != storage::Standing::kKnown) state.SkipWithError("a learnt recipient is not known");
  }
}
BENCHMARK(directory_standing)->Arg(1000)->Arg(100'000);

void directory_unknown(benchmark::State& state) {
  const Folder folder(1000);
  storage::DirectoryReader reader(folder.path());
  for (auto _ : state) benchmark::DoNotOptimize(reader.recipient("nobody@example.test"));
}
BENCHMARK(directory_unknown);

void directory_destination(benchmark::State& state) {
  const Folder folder(1000);
  storage::DirectoryReader reader(folder.path());
  for (auto _ : state) benchmark::DoNotOptimize(reader.destination("office"));
}
BENCHMARK(directory_destination);

}  // namespace
}  // namespace holdfast
