// A tree of this machine made equal on an NFSv3 server: many calls at once, and only what differs.
// What is there with the same kind, size, owner, mode and time is left alone; a file's time is set
// after its bytes are on stable storage, so that half a file never passes for a whole one. It
// refuses to know what the tree is for. Of this room only.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "provisioning/nfs/nas.hpp"
#include "provisioning/nfs/session.hpp"
#include "provisioning/nfs/source_tree.hpp"

namespace bramble::nfs {

// An entry that is there.
struct Listed {
    Handle handle;
    fattr3 attributes{};
};

using Listing = std::map<std::string, Listed>;

inline constexpr std::size_t jobs_max = 256;  // files and the like in work at once

class TreeWriter {
public:
    // All outlive it. `directory` is there, perhaps with something in it.
    TreeWriter(
        Session& session, const SourceTree& source, const Handle& directory, const WriteOptions& how
    );

    // Errors: in words, with the path. What was written stays, and is found by the next.
    // `before` is that of the options; empty: it is not there.
    [[nodiscard]] Result<WriteReport> write(const Handle& before = {});

private:
    using Indices = std::vector<std::uint32_t>;

    bool going() const { return error_.empty() && session_.failure().empty(); }

    Result<void> settle(Crew& crew);
    template <class Act>
    Result<void> for_each(const Indices& indices, const Act& act);

    bool good(const void* answer, nfsstat3 status, std::uint32_t index, std::string_view doing);
    void fail_at(std::uint32_t index, std::string_view doing, const std::string& why);
    bool is_alike(const SourceEntry& entry, const fattr3& there) const;
    bool same_time(const Time& wanted, const nfstime3& there) const;
    sattr3 owner_of(const SourceEntry& entry) const;

    Job make_directory(std::uint32_t index);
    Job remove(std::uint32_t directory, std::string name);
    Job send_content(struct FileInWork& file);
    void take_result(std::uint32_t index, const post_op_attr& after);
    Job put_file(std::uint32_t index);
    Job put_part(struct FileInWork& file, std::uint64_t offset, std::string bytes);
    Job compare_link(std::uint32_t index, const Listed& there, bool& same);
    Job put_link(std::uint32_t index);
    Job put_special(std::uint32_t index);
    Job put_name(std::uint32_t index);
    Job finish_directory(std::uint32_t index);

    Result<void> make_directories();
    Result<void> clear_away(const Indices& level);
    Result<void> compare_links();
    Result<void> sort_out();
    Result<void> find_before(const Handle& before);
    bool is_unchanged(std::uint32_t index, const fattr3& there) const;
    Job put_former(std::uint32_t index);
    Result<void> put_formers();

    Session& session_;
    const SourceTree& source_;
    const WriteOptions& how_;
    Crew crew_;
    Gate buffers_;
    std::vector<Handle> handles_;     // of directories, and of files with several names
    std::vector<std::uint64_t> ids_;  // of these files, on the server
    std::vector<bool> fresh_;         // directories that were made now: nothing is in them
    std::map<std::uint32_t, Listing> listings_;  // of the others
    std::map<std::uint32_t, Indices> children_;  // of directories
    Indices levels_, files_, links_, specials_, names_;
    std::map<std::uint32_t, Listed>
        former_;                          // files of the tree before, by their place in this one
    std::set<std::uint32_t> same_links_;  // of what is there
    std::string error_;
    WriteReport report_;
};

// Takes apart what stands at `name`, whatever it is; nothing there is fine. Answers how many
// entries went.
[[nodiscard]] Result<std::uint64_t> remove_tree(
    Session& session, const Handle& directory, const std::string& name, const std::stop_token& stop
);

// All entries of a directory but "." and "..". Errors in `error`.
Job list_all(
    Session& session, Crew& crew, const Handle& directory, Listing& into, std::string& error
);

}  // namespace bramble::nfs
