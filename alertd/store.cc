#include "alertd/store.h"

#include <utility>

#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/storage/keys.h"

namespace holdfast::alertd {
namespace {

enum : storage::Table { kAlert, kSilence, kNotice, kTaken };
const std::vector<std::string> kTables{"alert", "silence", "notice", "taken"};
constexpr std::uint64_t kMapBytes = 256 << 20;  // 500 notices of some KiB, many times over

std::string number_key(std::uint64_t id) { return storage::Key().number(id).text(); }

template <class Row>
void read_table(const storage::Txn& txn, storage::Table table, std::vector<Row>& out) {
  storage::Cursor cursor(txn, table);
  for (cursor.first(); cursor.valid(); cursor.next()) {
    if (auto row = base::decode<Row>(cursor.value())) {
      out.push_back(std::move(*row));
    } else {
      base::log().warning("alerts: a row of " + kTables[table] + " cannot be read");
    }
  }
}

}  // namespace

void Changes::put(const Alert& alert) { rows.push_back({kAlert, number_key(alert.id), base::encode(alert)}); }
void Changes::erase_alert(std::uint64_t id) { rows.push_back({kAlert, number_key(id), {}}); }
void Changes::put(const Silence& silence) { rows.push_back({kSilence, silence.what, base::encode(silence)}); }
void Changes::erase_silence(const std::string& what) { rows.push_back({kSilence, what, {}}); }
void Changes::put(const Notice& notice) { rows.push_back({kNotice, number_key(notice.id), base::encode(notice)}); }
void Changes::erase_notice(std::uint64_t id) { rows.push_back({kNotice, number_key(id), {}}); }
void Changes::put(const Taken& taken) { rows.push_back({kTaken, taken.sender, base::encode(taken)}); }

base::Result<std::unique_ptr<Store>> Store::open(net::Loop& loop, const std::string& state_folder) {
  auto env = storage::Env::open(state_folder + "/alerts", kTables,
                                {.map_bytes = kMapBytes, .repair = "alertd forgets what is pending when state/alerts is removed"});
  if (!env) return std::unexpected(env.error());
  return std::unique_ptr<Store>(new Store(loop, std::move(*env)));
}

Store::Store(net::Loop& loop, std::unique_ptr<storage::Env> env) : loop_(loop), env_(std::move(env)) {
  storage::BatchWriter::Hooks hooks;
  hooks.committed = [this, alive = alive_](std::vector<storage::BatchWriter::Done> all) {
    loop_.post([alive, all = std::move(all)] {
      for (const auto& done : all) {
        if (*alive && done) done();
      }
    });
  };
  hooks.health = [this, alive = alive_](std::optional<base::Error> error) {
    loop_.post([this, alive, error = std::move(error)] {
      if (!*alive) return;
      failing_ = error.has_value();
      if (!error) return base::log().notice("alerts: commits work again");
      base::log().error("alerts: cannot commit, will try again: " + error->text);
      if (on_failing_) on_failing_();
    });
  };
  writer_ = std::make_unique<storage::BatchWriter>(*env_, storage::BatchWriter::Options{}, std::move(hooks));
}

Store::~Store() {
  *alive_ = false;
  writer_.reset();
}

Contents Store::read() {
  Contents out;
  storage::ReadTxn txn(*env_);
  const storage::ReadTxn::View view(txn);
  if (!view) {
    base::log().warning("alerts: cannot read: " + view.error().text);
    return out;
  }
  read_table(txn, kAlert, out.alerts);
  read_table(txn, kSilence, out.silences);
  read_table(txn, kNotice, out.notices);
  read_table(txn, kTaken, out.taken);
  return out;
}

void Store::write(Changes changes, std::function<void()> done) {
  writer_->submit(
      [changes = std::move(changes)](storage::WriteTxn& txn) -> base::Status {
        for (const auto& row : changes.rows) {
          auto status = row.value.empty() ? txn.erase(row.table, row.key) : txn.put(row.table, row.key, row.value);
          if (!status) return status;
        }
        return {};
      },
      std::move(done), true);
}

}  // namespace holdfast::alertd
