exports.onExecutePostLogin = async (event, api) => { const t = `${{ a: 1 }}`; /* @@X@@ */ };
