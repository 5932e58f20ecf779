// Lines as Ganesha 4.3 writes them.
#include <gtest/gtest.h>

#include "provisioning/nfs/ganesha.hpp"

namespace bramble::nfs {
namespace {

const std::string prefix =
    "22/11/2026 12:01:53 : epoch 6b02d825 : host : nfs-ganesha-9577[sigmgr] ";

TEST(WorthTelling, TroubleIsToldWithoutItsPrefix) {
    EXPECT_EQ(
        worth_telling(
            prefix + "fsal_cfg_commit :CONFIG :CRIT :Could not create export for (/x) to (/y)"
        ),
        "Could not create export for (/x) to (/y)"
    );
    EXPECT_EQ(worth_telling("rpcbind: cannot bind"), "rpcbind: cannot bind");
}

TEST(WorthTelling, AHealthyLifeIsSilent) {
    for (const char* line :
         {"nfs_start :NFS STARTUP :EVENT :             NFS SERVER INITIALIZED",
          "gsh_dbus_pkginit :DBUS :CRIT :dbus_bus_get failed (Failed to connect to socket)",
          "nfs_Init_svc :DISP :CRIT :Cannot acquire credentials for principal nfs",
          "load_rados_config :CONFIG :WARN :Missing RADOS URLs backend library",
          "posix_create_file_system :FSAL :WARN :btfs filesystem /x may have unsupported subvols",
          "nfs_rpc_process_request :DISP :CRIT :FAILURE: Bad xdr_free for NFSACL_SETACL"})
        EXPECT_EQ(worth_telling(prefix + line), std::nullopt) << line;
    EXPECT_EQ(worth_telling(""), std::nullopt);
}

}  // namespace
}  // namespace bramble::nfs
