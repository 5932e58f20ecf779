"""A TCP port of this machine's loopback that leads into a namespace of the lab, so that a browser sees its pages.

It refuses to know what is spoken; it listens on 127.0.0.1 alone.
"""

import ctypes
import os
import socket
import threading

CLONE_NEWNET = 0x40000000


class PortForward:
    """Open from construction to close(); `port` is the one on 127.0.0.1."""

    def __init__(self, namespace, target_port, preferred_port=8080):
        self._target = ("127.0.0.1", target_port)
        self._namespace_path = f"/run/netns/{namespace.name}"
        self._listener = self._listen(preferred_port)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @staticmethod
    def _listen(preferred_port):
        for port in (*range(preferred_port, preferred_port + 20), 0):
            try:
                return socket.create_server(("127.0.0.1", port))
            except OSError:
                continue
        raise OSError("no free port on 127.0.0.1")

    def _serve(self):
        # A thread of its own, because setns() moves the calling thread alone; sockets stay where they were made.
        handle = os.open(self._namespace_path, os.O_RDONLY)
        if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
            return
        os.close(handle)
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            sink.close()

    def close(self):
        self._listener.close()
